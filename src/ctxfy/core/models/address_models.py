"""
Addresses on the internet, and networks of them.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network


type Address = IPv4Address | IPv6Address
type Network = IPv4Network | IPv6Network
