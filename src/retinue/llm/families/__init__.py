"""One module per kind of provider client; each is imported only when a model of that kind is first built."""
