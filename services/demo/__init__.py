"""demo: the main job in one command. Customers and agents who are not there, against a platform that is.

Stories are played over HTTP by simulated customers with the arrival curve of a day, compressed; simulated agents work
as any front-end would. Customers and agents keep a record of their own, flushed to disk before each request, and at the
end every conversation, episode and outcome of the platform is compared with it by id and content.

Nothing here knows the inside of a service: what it sees, anybody with a token sees.
"""
