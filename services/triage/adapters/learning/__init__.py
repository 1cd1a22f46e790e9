"""Models made from an operator's own tickets and corrections: read, trained, kept in versions, compared."""
