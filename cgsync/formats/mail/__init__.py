"""One e-mail message: its bytes in, what a template may want of it out.

``message`` puts it together; ``structure`` finds the parts, ``contents`` the text in them. All of it takes a time that
grows with the size of the message and no faster, and has caps, since whoever knows the address may send anything.
"""
