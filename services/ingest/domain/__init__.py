"""Pure rules of ingest: who wrote, which thread it belongs to, what number it gets, how a delivery is repeated."""
