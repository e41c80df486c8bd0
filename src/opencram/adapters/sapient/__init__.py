"""SAPIENT, BSI Flex 335 v2.0: protobuf messages between sensors, fusion nodes and what stands above them.

fusion    a fusion node's receiving end: bytes of a connection → plots, health, and the replies owed
edge      radars' plots, and our own tracks with their predicted impacts, as an edge node sends them
schema    the message classes, made from the definitions in `proto/`
"""
