"""How analytics stores and shows its values."""
