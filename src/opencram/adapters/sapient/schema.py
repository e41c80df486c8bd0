"""The classes of BSI Flex 335 v2.0, made by protobuf from Dstl's message definitions.

The definitions stand in `proto/` with their licence; `schema.binpb` is what protoc makes of them
(`make sapient-schema`), loaded into a pool of its own, so that no other package's copy is in the way.
Needs the extra `sapient` (protobuf).
"""

import functools
from pathlib import Path
from typing import Any, Final

from opencram.errors import UsageError

PACKAGE: Final = "sapient_msg.bsi_flex_335_v2_0"
SCHEMA: Final = Path(__file__).with_name("schema.binpb")
ICD_VERSION: Final = "BSI Flex 335 v2.0"

# Values of enumerations, by the names of the definitions.
NODE_TYPE_RADAR, NODE_TYPE_FUSION_NODE = 2, 20
LAT_LNG_DEG_M, LAT_LNG_RAD_M, UTM_M = 1, 2, 5
WGS84_E, WGS84_G = 1, 2
DEGREES_M, RADIANS_M, DEGREES_KM, RADIANS_KM = 1, 2, 3, 4
DATUM_TRUE = 1
SYSTEM_OK, SYSTEM_WARNING, SYSTEM_ERROR, SYSTEM_GOODBYE = 1, 2, 3, 5
TIME_UNITS_SECONDS = 4


@functools.cache
def _pool() -> Any:
    try:
        from google.protobuf import descriptor_pb2, descriptor_pool
    except ImportError as error:
        remedy = 'install it with: python -m pip install "opencram[sapient]"'
        raise UsageError(f"SAPIENT needs the package protobuf, which is not installed; {remedy}") from error
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(SCHEMA.read_bytes()).file:
        pool.AddSerializedFile(file.SerializeToString())
    return pool


@functools.cache
def message_class() -> Any:
    """Return the class `SapientMessage`, which all messages on the wire are."""
    pool = _pool()
    from google.protobuf import message_factory

    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.SapientMessage"))


def decode_error() -> type[Exception]:
    """Return what protobuf raises on bytes that are no message."""
    _pool()
    from google.protobuf.message import DecodeError

    return DecodeError  # type: ignore[no-any-return]


@functools.cache
def _options() -> tuple[Any, Any, Any]:
    pool = _pool()
    from google.protobuf import message_factory

    options = message_factory.GetMessageClass(pool.FindMessageTypeByName("google.protobuf.FieldOptions"))
    one_of = message_factory.GetMessageClass(pool.FindMessageTypeByName("google.protobuf.OneofOptions"))
    return options, one_of, pool


def missing(message: Any, place: str = "") -> list[str]:
    """Return the fields that the standard demands and that the message, or one within it, does not have."""
    field_options, one_of_options, pool = _options()
    of_field = pool.FindExtensionByName("sapient_msg.field_options")
    of_choice = pool.FindExtensionByName("sapient_msg.oneof_options")
    faults: list[str] = []
    for field in message.DESCRIPTOR.fields:
        name = f"{place}{field.name}"
        value = getattr(message, field.name)
        repeated = field.is_repeated
        there = len(value) > 0 if repeated else (not field.has_presence or message.HasField(field.name))
        options = field_options.FromString(field.GetOptions().SerializeToString())
        if not there and options.Extensions[of_field].is_mandatory:
            faults.append(name)
        if there and field.message_type is not None and field.message_type.file.package.startswith("sapient"):
            for one in value if repeated else [value]:
                faults += missing(one, f"{name}.")
    for choice in message.DESCRIPTOR.oneofs:
        options = one_of_options.FromString(choice.GetOptions().SerializeToString())
        if options.Extensions[of_choice].is_mandatory and message.WhichOneof(choice.name) is None:
            faults.append(f"{place}{choice.name}")
    return faults
