"""The reviewer model that ships: no key, no network, the same answer every time."""
