"""All services in one process, on a PostgreSQL that it brings along unless it is given one."""

from services.embedded.host import check_address, data_folder, run_embedded, start_database, with_database

__all__ = ["check_address", "data_folder", "run_embedded", "start_database", "with_database"]
