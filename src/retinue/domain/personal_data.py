"""Personal data in texts: where addresses, numbers of phones, accounts and cards stand.

Each kind is recognised by its shape and, where it has one, its check sum. What is found is likely, not certain: a
number of sixteen digits can pass for a card. Texts are folded (``folding``), so letters are small here.
"""

import ipaddress
import string
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import lru_cache

import phonenumbers
import re2

Span = tuple[int, int]


class PersonalData(StrEnum):
    """What can be looked for, in the order in which overlapping finds are named."""

    URL_CREDENTIALS = "url_credentials"
    """A name or password before the host in an address: ``https://ann:secret@example.com``."""
    EMAIL = "email"
    IBAN = "iban"
    CARD = "card"
    PHONE = "phone"
    """With its country's prefix (``+44 …``); with a region also as it is written there."""
    IP_ADDRESS = "ip_address"


def find(kind: PersonalData, text: str, region: str | None = None) -> Iterator[Span]:
    """Where this kind of personal data stands in a folded text. ``region``: a country (``GB``) whose numbers of phones
    are found without a prefix, too."""
    if kind is PersonalData.PHONE:
        return _phones(text, region)
    return FINDERS[kind](text)


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> "re2.Pattern":
    return re2.compile(pattern)


def _credentials(text: str) -> Iterator[Span]:
    if "://" not in text:
        return
    for match in _compiled(r"[a-z][a-z0-9+.-]*://[^\s/?#]+@").finditer(text):
        yield match.start() + match.group().index("://") + 3, match.end() - 1


def _emails(text: str) -> Iterator[Span]:
    if "@" not in text:
        return
    host = r"[\pL\pN](?:[\pL\pN\pM-]*[\pL\pN\pM])?"
    for match in _compiled(rf"[\pL\pN\pM.!#$%&'*+/=?^_`{{|}}~-]+@(?:{host}\.)+{host}").finditer(text):
        yield match.span()


# ── numbers with check sums ──────────────────────────────────────────────────────────────────────────────────────

_IBAN_LENGTHS = (
    "ad24 ae23 al28 at20 az28 ba20 be16 bg22 bh22 bi27 br29 by28 ch21 cr22 cy28 cz24 de22 dj27 dk18 do28 ee20 eg29 "
    "es24 fi18 fk18 fo18 fr27 gb22 ge22 gi23 gl18 gr27 gt28 hn28 hr21 hu28 ie22 il23 iq23 is26 it27 jo30 kw30 kz20 "
    "lb28 lc32 li21 lt20 lu20 lv21 ly25 mc27 md24 me22 mk19 mn20 mr27 mt31 mu30 ni28 nl18 no15 om23 pk24 pl28 ps29 "
    "pt25 qa29 ro24 rs22 ru33 sa24 sc31 sd18 se24 si19 sk24 sm27 so23 st25 sv28 tl23 tn24 tr26 ua29 va22 vg24 "
    "xk20 ye30"
)
IBAN_LENGTHS = {entry[:2]: int(entry[2:]) for entry in _IBAN_LENGTHS.split()}
"""Letters and digits in each country's account numbers (ISO 13616)."""
_ALPHANUMERIC = frozenset(string.ascii_lowercase + string.digits)


def _ibans(text: str) -> Iterator[Span]:
    end_of_last = 0
    for match in _compiled(r"[a-z]{2}[0-9]{2}").finditer(text):
        start = match.start()
        length = IBAN_LENGTHS.get(text[start : start + 2])
        if length is None or start < end_of_last or (start and text[start - 1] in _ALPHANUMERIC):
            continue
        letters, end = _take(text, start, length)
        if len(letters) == length and text[end : end + 1] not in _ALPHANUMERIC and iban_is_valid(letters):
            end_of_last = end
            yield start, end


def _take(text: str, start: int, count: int) -> tuple[str, int]:
    """So many letters and digits from here on, single spaces and hyphens between them left out, and where they end."""
    taken: list[str] = []
    place = end = start
    gap = False
    while place < len(text) and len(taken) < count:
        if text[place] in _ALPHANUMERIC:
            taken.append(text[place])
            end, gap = place + 1, False
        elif text[place] in " -" and not gap:
            gap = True
        else:
            break
        place += 1
    return "".join(taken), end


def iban_is_valid(letters: str) -> bool:
    """The check of ISO 7064, mod 97-10, of an account number in small letters without spaces."""
    return int("".join(str(int(one, 36)) for one in letters[4:] + letters[:4])) % 97 == 1


LONGEST_CARD = 19


def _cards(text: str) -> Iterator[Span]:
    for match in _compiled(r"[0-9](?:[ -]?[0-9]){12,}").finditer(text):
        yield from _cards_in(match.group(), match.start())


def _cards_in(run: str, offset: int) -> Iterator[Span]:
    """Cards among digits in groups: one begins and ends where a group does."""
    places = [place for place, one in enumerate(run) if one.isdigit()]
    digits = "".join(run[place] for place in places)
    first = 0
    while first <= len(digits) - 13:
        begins = first == 0 or places[first] - places[first - 1] > 1
        count = _card_length(digits, places, first) if begins else 0
        if count:
            yield offset + places[first], offset + places[first + count - 1] + 1
        first += count or 1


def _card_length(digits: str, places: list[int], first: int) -> int:
    for count in range(min(LONGEST_CARD, len(digits) - first), 12, -1):
        last = first + count - 1
        ends = last == len(digits) - 1 or places[last + 1] - places[last] > 1
        if ends and card_is_valid(digits[first : last + 1]):
            return count
    return 0


def card_is_valid(digits: str) -> bool:
    """Whether an issuer of cards gives out such numbers, and the last digit is right (ISO/IEC 7812, Luhn)."""
    if not 13 <= len(digits) <= LONGEST_CARD or not (digits[0] in "3456" or 2221 <= int(digits[:4]) <= 2720):
        return False
    doubled = [int(one) * 2 for one in digits[-2::-2]]
    return (sum(int(one) for one in digits[-1::-2]) + sum(one - 9 if one > 9 else one for one in doubled)) % 10 == 0


# ── phones and machines ──────────────────────────────────────────────────────────────────────────────────────────


def _phones(text: str, region: str | None) -> Iterator[Span]:
    if region is None and "+" not in text:
        return
    matcher = phonenumbers.PhoneNumberMatcher(text, region, max_tries=max(len(text), 1))
    for match in matcher:
        yield match.start, match.end


def known_region(region: str) -> bool:
    """Whether there are numbers of phones of this country (``GB``)."""
    return region in phonenumbers.SUPPORTED_REGIONS


def _addresses(text: str) -> Iterator[Span]:
    for match in _compiled(r"[0-9]+(?:\.[0-9]+)+").finditer(text):
        start, end = match.span()
        if _stands_alone(text, start, end) and _is_address(text[start:end]):
            yield start, end
    if text.count(":") < 2:
        return
    for match in _compiled(r"[0-9a-f:.]*:[0-9a-f.]*:[0-9a-f:.]*").finditer(text):
        start, end = match.span()
        while text[end - 1] == "." or (text[end - 1] == ":" and text[end - 2] != ":"):
            end -= 1  # the end of a sentence or clause
        if _stands_alone(text, start, end) and _is_address(text[start:end]):
            yield start, end


def _stands_alone(text: str, start: int, end: int) -> bool:
    return not any(one.isalnum() or one == "_" for one in (text[start - 1 : start] + text[end : end + 1]))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return text != "::"


FINDERS: dict[PersonalData, Callable[[str], Iterator[Span]]] = {
    PersonalData.URL_CREDENTIALS: _credentials,
    PersonalData.EMAIL: _emails,
    PersonalData.IBAN: _ibans,
    PersonalData.CARD: _cards,
    PersonalData.IP_ADDRESS: _addresses,
}
