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

CORRECT: dict[int | str, dict[str, object]] = {
    200: {
        "links": {
            "feedback": {
                "operationId": "feedback_feedback_post",
                "description": "Only these labels may be given to an advert.",
                "requestBody": {
                    "corrections": [
                        {"text": "Vi søger en tømrer.", "label": "$response.body#/labels/0/label"},
                    ]
                },
            }
        }
    }
}
"""Of `/labels`: what people may say that an advert is."""
