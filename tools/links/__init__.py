"""What links are made of and what their letters give away; nothing here opens or resolves one."""
