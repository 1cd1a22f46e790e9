"""The AsyncAPI document: every published topic, who writes and reads it, and what its events hold."""

from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from libs.contracts.catalogue import TOPICS
from libs.contracts.envelope import message_type
from libs.contracts.partition import PARTITIONS

_SCALARS = {
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_INT32: {"type": "integer", "format": "int32"},
    FieldDescriptor.TYPE_INT64: {"type": "string", "format": "int64"},
    FieldDescriptor.TYPE_DOUBLE: {"type": "number"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
}


def _schema(descriptor: Any) -> dict[str, object]:
    properties: dict[str, object] = {}
    for field in descriptor.fields:
        if field.message_type is not None:
            one: dict[str, object] = _schema(field.message_type)
        elif field.enum_type is not None:
            one = {"type": "string", "enum": [value.name for value in field.enum_type.values]}
        else:
            one = dict(_SCALARS[field.type])
        properties[field.json_name] = {"type": "array", "items": one} if field.is_repeated else one
    return {"type": "object", "properties": properties}


def asyncapi_document(version: str) -> dict[str, Any]:
    """AsyncAPI 3: the published topics; local ones stay inside a service and are left out."""
    channels: dict[str, object] = {}
    operations: dict[str, object] = {}
    messages: dict[str, object] = {}
    for topic in TOPICS.values():
        if topic.local:
            continue
        inside = {}
        for name in topic.messages:
            kind = message_type(name)
            assert kind is not None
            short = name.rsplit(".", 1)[1]
            messages[short] = {
                "name": name,
                "contentType": "application/protobuf",
                "headers": {"$ref": "#/components/schemas/CloudEventHeaders"},
                "payload": _schema(kind.DESCRIPTOR),
            }
            inside[short] = {"$ref": f"#/components/messages/{short}"}
        channel = topic.name.replace(".", "_")
        kept = (
            {"cleanup.policy": ["compact"]}
            if topic.compact
            else {"retention.ms": topic.retention_days * 86_400_000}
        )
        channels[channel] = {
            "address": topic.name,
            "description": topic.purpose,
            "messages": inside,
            "bindings": {
                "kafka": {
                    "topic": topic.name,
                    "partitions": PARTITIONS,
                    "replicas": 1,
                    "topicConfiguration": kept,
                    "bindingVersion": "0.5.0",
                }
            },
        }
        operations[f"{topic.producer}_sends_{channel}"] = {
            "action": "send",
            "channel": {"$ref": f"#/channels/{channel}"},
            "summary": f"{topic.producer} writes; the key is {topic.key}",
        }
        for consumer in topic.consumers:
            operations[f"{consumer}_receives_{channel}"] = {
                "action": "receive",
                "channel": {"$ref": f"#/channels/{channel}"},
            }
    headers = ["ce_id", "ce_source", "ce_type", "ce_specversion", "ce_time", "ce_subject", "ce_sequence"]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Centralino",
            "version": version,
            "description": "The event topics of the platform: CloudEvents 1.0 in binary mode, payloads in protobuf.",
        },
        "defaultContentType": "application/protobuf",
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": messages,
            "schemas": {
                "CloudEventHeaders": {
                    "type": "object",
                    "required": headers,
                    "properties": {
                        name: {"type": "string"} for name in [*headers, "ce_generation", "traceparent"]
                    },
                }
            },
        },
    }
