"""The bundled recording `examples/delivery.jsonl`: how it is made, and what it must tell."""
