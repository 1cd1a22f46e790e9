"""All services in one process, on a PostgreSQL that it brings along unless it is given one."""

from services.embedded.host import data_folder, run_embedded, with_database

__all__ = ["data_folder", "run_embedded", "with_database"]
