"""What stands between the rules of surveys and the world: tables, events, keys of links, the file of texts."""
