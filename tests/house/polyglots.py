"""Odd input: what a browser never sends and somebody will; and text that wants to be more than text."""

from __future__ import annotations

POLYGLOTS = (
    "<pvx onpvx=1>",
    "\"><pvx onpvx=1>'><pvx onpvx=1>",
    "'\" onpvx=1 x='",
    "</title></textarea></select></script><pvx>",
    "--><pvx onpvx=1>",
    "<svg/onload=pvx()><img src=x onerror=pvx()>",
    "javascript:pvx()//<pvx>",
    "{{ 13371337 * 7777 }}${13371337*7777}<%= 13371337*7777 %>{% if pvx %}%(pvx)s",
    "&lt;pvx&gt;&#60;pvx&#62;\\x3cpvx\\x3e\u2028",
)
PLAIN = 'K+ <3.5 & "rash"'

DEEP = "[" * 20_000 + "]" * 20_000
ODD_TEXTS: dict[str, str] = {
    "nothing": "",
    "spaces": " \t\r\n ",
    "NUL": "a\x00b",
    "control characters": "\x01\x08\x1b[31m\x7f\x85",
    "lone surrogate": "\udc80\ud800",
    "bidi and zero width": "\u202eabc\u2066\u200b\ufeff",
    "beyond the basic plane": "\U0001f9d1\u200d\u2695\ufe0f\U0010ffff",
    "5,000 digits": "9" * 5_000,
    "an endless exponent": "1E+200000",
    "not a number": "NaN",
    "infinity": "-Infinity",
    "other digits": "١٢٣",
    "a negative": "-1",
    "year 0": "0000-00-00",
    "year 9999": "9999-12-31T23:59:60+14:00",
    "30 February": "30 February 2026",
    "deep JSON": DEEP,
    "JSON": '{"a": 1, "a": NaN}',
    "SQL": "' OR 1=1; DROP TABLE patients; --",
    "a path": "../../../etc/passwd",
    "a template": "{{ config }}{% raw %}%(x)s %s %n",
    "new lines": "a\r\nSet-Cookie: x=1\r\n\r\nb",
    "long": "a" * 100_000,
}
