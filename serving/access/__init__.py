"""Who may ask what: keys with scopes, the scope of each route, limits."""
