"""What is required of a server and of the module, and how it is judged."""
