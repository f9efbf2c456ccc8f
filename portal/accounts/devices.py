"""Where somebody signs in from, in words that let them know their own devices again, and no more than that is kept."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)
"""The first sign that is found in what a browser says of itself names it: Chrome also says Safari, Android also says Linux."""


@dataclass(frozen=True)
class Arrival:
    """Somebody at the door: the address they come from, what their browser says of itself, and by what we know it again."""

    source: str = ""
    browser: str = ""
    known: str | None = None

    @property
    def device(self) -> dict[str, str]:
        """Words for the list of sessions, as SignIn.device."""
        return {
            "browser": _named(BROWSERS, self.browser),
            "system": _named(SYSTEMS, self.browser),
            "place": place(self.source),
        }


NOWHERE = Arrival()
"""Nobody's browser: the command line, the demo's making."""


def place(address: str) -> str:
    """The part of an address that tells roughly where somebody is (IPv4 /24, IPv6 /48); empty for no address."""
    found = _parsed(address)
    if found is None:
        return ""
    return str(ip_network((found, 24 if found.version == 4 else 48), strict=False).network_address)


def counted(address: str) -> str:
    """The address as guesses are counted: one household or server has a whole IPv6 /64 to itself."""
    found = _parsed(address)
    if found is None or found.version == 4:
        return address
    return str(ip_network((found, 64), strict=False))


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(address)
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def _named(signs: tuple[tuple[str, str], ...], said: str) -> str:
    return next((name for sign, name in signs if sign in said), "")
