"""Commands for those who run an installation: accounts and dead letters."""
