"""The whole directory as one YAML file: read, compared with a running platform, brought to it, written from it."""
