"""HTTP: lists for staff, links for the sender, the page for customers."""
