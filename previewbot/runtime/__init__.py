"""The two processes: the controller (queue, workers, informers, resync, Lease) and web (Flask, gunicorn)."""
