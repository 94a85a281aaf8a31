"""How servers are brought up, shown on real processes and real sockets."""
