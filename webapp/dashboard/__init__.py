"""The operator's pages and their websocket."""
