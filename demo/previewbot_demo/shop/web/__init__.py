"""The source of the shop's front end; `app.py` runs on its own."""
