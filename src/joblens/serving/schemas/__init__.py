"""What goes over the wire. Every limit that a client must know is in the schema, and so in /openapi.json."""
