"""The distributed way of running as local processes: a broker, a database, a process for each service, a gateway.

owns nothing; it sets the environment variables that docker compose sets, and starts what docker compose starts.
"""
