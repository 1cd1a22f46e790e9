"""What others would have written: fair, tidy versions of the same work, measured in the same run."""
