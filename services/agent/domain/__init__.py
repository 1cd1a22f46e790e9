"""What a conversation is and what may happen to it: values in, values out.

Read `episodes` (which message belongs where), `conversation` (the values), then `arrivals` (what customers cause) and
`acts` (what people do).
"""
