"""HTTP under /agent/v1: sign-in, what people read, and what they do."""
