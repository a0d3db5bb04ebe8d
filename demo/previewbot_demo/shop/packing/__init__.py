"""The source of the shop's catalogue; `app.py` runs on its own."""
