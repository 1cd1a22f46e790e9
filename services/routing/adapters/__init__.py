"""How pools, arrivals and answers lie in PostgreSQL, and how they look on the wire."""
