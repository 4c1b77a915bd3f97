"""The browser chat of `reclaim rehearse`: one person plays admins, managers and employees against the practice tenant.

For the rehearsal only: whoever opened the printed address may be anyone of the cast. It listens on loopback, every
request carries a launch cookie, and the actor comes from a persona session that the server made, never from a payload.
The real channels take theirs from a verified identity.

watch.py           what the page shows beside the chat: Protocols that `app.py` implements
conversations.py   the chats in memory, and `WebTransport`
chat.py            `WebChat`: commands, clicks, clock and panel on behalf of a persona
security.py        launch token, hosts, persona sessions
routes.py          HTTP; `stream.py` the live stream; `assets/` the page
"""
