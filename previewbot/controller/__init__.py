"""The controller process: follows Previews and sessions, queues pull requests, reconciles them."""
