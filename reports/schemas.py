"""The JSON Schema that a report keeps to, made from the model."""

import json

from reports.model import SCHEMA_VERSION, Report

PUBLISHED = f"schema/report-{SCHEMA_VERSION}.json"
"""Where it stands in this folder; a test holds it against the model."""


def schema_text() -> str:
    """The schema as JSON text."""
    schema = Report.model_json_schema(mode="serialization")
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": PUBLISHED}
    return json.dumps(head | schema, indent=1, ensure_ascii=False)
