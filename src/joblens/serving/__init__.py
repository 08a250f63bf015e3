"""The HTTP API of one bundle: `api.create_app` for any ASGI server, `server.serve` to run it."""
