"""The processes: the controller (queue, workers, informers, resync, Lease); web, pages (Flask, gunicorn)."""
