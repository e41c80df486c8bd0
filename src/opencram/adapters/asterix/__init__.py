"""ASTERIX, the EUROCONTROL format of surveillance data: categories 015, 016, 034, 048 and 062, in and out.

reader    datagrams, streams and files → plots, rejections, health
encode    plots → CAT015 or CAT048, signs of life → CAT034, our tracks → CAT062
record    one record at a time, every item, both ways
columns   many records at once into NumPy columns
layout    the tables behind all of them (`tables/`)
"""
