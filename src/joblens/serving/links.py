"""What the OpenAPI document says about using one route's answer in a request to another."""

CLASSIFY_MASKED: dict[int | str, dict[str, object]] = {
    200: {
        "links": {
            name: {
                "operationId": f"{name}_{name}_post",
                "description": f"Ask `/{name}` without sending the personal data again.",
                "requestBody": {"text": "$response.body#/results/0/text"},
            }
            for name in ("classify", "explain")
        }
    }
}
"""Of `/extract`: its text has the personal data masked, and may be asked about in its place."""
