"""Small inputs that want to become large, deep or endless: JSON, XML, numbers, packed bytes, tokens, forms."""

from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile
import zlib
from typing import Any

MB = 1_000_000


def _zip(name: str, content: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, content)
    return made.getvalue()


def _laughs(entity: str) -> bytes:
    steps = "".join(f'<!ENTITY {entity}{n} "{f"&{entity}{n - 1};" * 10}">' for n in range(1, 10))
    return f'<!DOCTYPE a [<!ENTITY {entity}0 "lol">{steps}]><a>&{entity}9;</a>'.encode()


JSON: dict[str, bytes] = {
    "100,000 arrays deep": b"[" * 100_000 + b"]" * 100_000,
    "100,000 objects deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "65 deep": b"[" * 65 + b"]" * 65,
    "deep and never closed": b"[" * 2 * MB,
    "deep inside an element": b'{"resourceType":"Questionnaire","item":'
    + b'[{"item":' * 400
    + b"[]"
    + b"}]" * 400
    + b"}",
    "the same name twice": b'{"resourceType":"Patient","id":"a","id":"b"}',
    "the same name 20,000 times": b"{" + b",".join([b'"a":1'] * 20_000) + b"}",
    "a number of a million digits": b'{"a":' + b"9" * MB + b"}",
    "a fraction of a million digits": b'{"a":0.' + b"3" * MB + b"}",
    "an exponent of 999,999,999": b'{"a":1E+999999999}',
    "an exponent below": b'{"a":1e-999999999}',
    "an exponent of a million digits": b'{"a":1e' + b"9" * MB + b"}",
    "nineteen digits": b'{"a":1234567890123456789}',
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":-Infinity}',
    "half a character": b'{"a":"\\ud800"}',
    "half a character in a name": b'{"\\udfff":1}',
    "NUL": b'{"a":"\\u0000"}',
    "NUL in a name": b'{"\\u0000":1}',
    "raw NUL": b'{"a":"\x00"}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "UTF-32": '{"a":1}'.encode("utf-32"),
    "UTF-7": b'{"a":"+ADw-script+AD4-"}\xff',
    "overlong UTF-8": b'{"a":"\xc0\xae\xc0\xae/"}',
    "half of a UTF-8 character": b'{"a":"\xe2\x82"}',
    "two values": b"{}{}",
    "a comment": b'{"a":1/**/}',
    "single quotes": b"{'a':1}",
    "a trailing comma": b'{"a":1,}',
    "leading noughts": b'{"a":007}',
    "hexadecimal": b'{"a":0x10}',
    "a plus": b'{"a":+1}',
    "other digits": '{"a":١٢}'.encode(),
    "never ended text": b'{"a":"' + b"x" * MB,
    "a million backslashes": b'{"a":"' + b"\\" * (MB + 1) + b'"}',
    "only a bracket": b"{",
    "a megabyte of blanks": b" " * MB,
    "a text": b'"just words"',
    "a number": b"5",
    "null": b"null",
    "a list": b"[]",
    "no type": b'{"a":1}',
    "a type that is no text": b'{"resourceType":["Patient"]}',
}

XML: dict[str, bytes] = {
    "billion laughs": _laughs("l"),
    "laughs by parameter": b"<!DOCTYPE a [<!ENTITY % p \"<!ENTITY q 'lol'>\">%p;]><a>&q;</a>",
    "quadratic": b'<!DOCTYPE a [<!ENTITY b "' + b"x" * 100_000 + b'">]><a>' + b"&b;" * 1000 + b"</a>",
    "a file": b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "an address": b'<!DOCTYPE a [<!ENTITY b SYSTEM "http://169.254.169.254/latest/">]><a>&b;</a>',
    "a parameter from an address": b'<!DOCTYPE a [<!ENTITY % b SYSTEM "http://127.0.0.1:9/x.dtd">%b;]><a/>',
    "a definition elsewhere": b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>',
    "a public definition": b'<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://127.0.0.1:9/x.dtd"><html/>',
    "an entity in itself": b'<!DOCTYPE a [<!ENTITY b "&c;"><!ENTITY c "&b;">]><a>&b;</a>',
    "XInclude": b'<Patient xmlns="http://hl7.org/fhir"><xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/></Patient>',
    "a style sheet": b'<?xml version="1.0"?><?xml-stylesheet href="http://127.0.0.1:9/x.xsl"?><a/>',
    "100,000 deep": b"<a>" * 100_000 + b"</a>" * 100_000,
    "65 deep in FHIR": b'<Questionnaire xmlns="http://hl7.org/fhir">'
    + b"<item>" * 65
    + b"</item>" * 65
    + b"</Questionnaire>",
    "20,000 attributes": b"<a " + b" ".join(b'a%d="1"' % n for n in range(20_000)) + b"/>",
    "the same attribute twice": b'<a b="1" b="2"/>',
    "5,000 name spaces": b"<a " + b" ".join(b'xmlns:a%d="u%d"' % (n, n) for n in range(5_000)) + b"/>",
    "a name of a megabyte": b"<" + b"a" * MB + b"/>",
    "never closed": b"<a>" * 3,
    "a comment without end": b"<a><!--" + b"-" * MB,
    "CDATA without end": b"<a><![CDATA[" + b"x" * MB,
    "UTF-7": b'<?xml version="1.0" encoding="UTF-7"?>+ADw-a+AD4-',
    "UTF-16 with a definition": '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY b "x">]><a>&b;</a>'.encode(
        "utf-16"
    ),
    "an encoding nobody knows": b'<?xml version="1.0" encoding="klingon"?><a/>',
    "EBCDIC": '<?xml version="1.0" encoding="cp037"?><a/>'.encode("cp037"),
    "a NUL": b"<a>\x00</a>",
    "a character that is none": b"<a>&#xD800;</a>",
    "a character beyond all": b"<a>&#x7FFFFFFF;</a>",
    "another name space": b'<Patient xmlns="urn:hl7-org:v3"/>',
    "no resource of R4": b'<Bomb xmlns="http://hl7.org/fhir"/>',
    "an element that R4 does not know": b'<Patient xmlns="http://hl7.org/fhir"><bomb value="1"/></Patient>',
    "XML 1.1": b'<?xml version="1.1"?><a>&#1;</a>',
}

PACKED: dict[str, bytes] = {
    "gzip, 60 MB in 60 KB": gzip.compress(b"0" * 60 * MB, 9),
    "deflate, 40 MB": zlib.compress(b"0" * 40 * MB, 9),
    "gzip in gzip": gzip.compress(gzip.compress(b"0" * 20 * MB, 9), 9),
    "zip, 40 MB": _zip("form.json", b"0" * 40 * MB),
    "zip that climbs out": _zip("../../../etc/cron.d/x", b"x"),
    "zip in zip": _zip("a.zip", _zip("b.zip", b"0" * 10 * MB)),
}


def form(**more: Any) -> bytes:
    held = {
        "resourceType": "Questionnaire",
        "url": "https://forms.example.org/bomb",
        "version": "1",
        "name": "Bomb",
        "status": "active",
    }
    return json.dumps({**held, "title": "Bomb", "item": [question("a")], **more}).encode()


def question(link_id: str, **more: Any) -> dict[str, Any]:
    return {"linkId": link_id, "type": "string", "text": link_id, **more}


def _deep(levels: int) -> dict[str, Any]:
    held = question("q")
    for level in range(levels):
        held = {"linkId": f"g{level}", "type": "group", "text": "g", "item": [held]}
    return held


def _when(link_id: str, other: str) -> dict[str, Any]:
    return question(link_id, enableWhen=[{"question": other, "operator": "exists", "answerBoolean": True}])


def _regex(pattern: str) -> dict[str, Any]:
    return question("r", extension=[{"url": "http://hl7.org/fhir/StructureDefinition/regex", "valueString": pattern}])


def _calculated(text: str) -> dict[str, Any]:
    url = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression"
    return question("c", extension=[{"url": url, "valueExpression": {"language": "text/fhirpath", "expression": text}}])


FORMS: dict[str, bytes] = {
    "2,001 questions": form(item=[question(str(n)) for n in range(2_001)]),
    "6,000 questions": form(item=[question(str(n)) for n in range(6_000)]),
    "21 deep": form(item=[_deep(21)]),
    "30 deep": form(item=[_deep(30)]),
    "501 options": form(item=[{**question("o"), "type": "choice", "answerOption": [{"valueString": str(n)} for n in range(501)]}]),
    "9 MB": form(item=[question("a", text="x" * 9_000_000)]),
    "the same linkId": form(item=[question("a"), question("a")]),
    "conditions in a circle": form(item=[_when("a", "b"), _when("b", "a")]),
    "a long circle": form(item=[_when(str(n), str((n + 1) % 1_900)) for n in range(1_900)]),
    "beyond 2 MB": form(item=[question("a", text="x" * 2_100_000)]),
    "a pattern that doubles": form(item=[_regex("((a{100}){100}){100}")]),
    "51 forms": json.dumps({"resourceType": "Bundle", "type": "collection",
                            "entry": [{"resource": json.loads(form(url=f"https://forms.example.org/{n}"))} for n in range(51)]}).encode(),
    "a modifier nobody knows": form(modifierExtension=[{"url": "https://pvx.example/x", "valueBoolean": True}]),
    "no items and a type of another kind": form(item={"a": 1}),
    "items that are numbers": form(item=[1, 2, None, True]),
}  # fmt: skip

RULES: dict[str, bytes] = {
    "a pattern of 2,001 characters": form(item=[_regex("a" * 2_001)]),
    "a pattern that looks around": form(item=[_regex("(?=a)(?<!b)c")]),
    "a pattern that looks back": form(item=[_regex("(a+)\\1")]),
    "an expression 300 deep": form(item=[_calculated("(" * 300 + "1" + ")" * 300)]),
    "an expression of a megabyte": form(item=[_calculated("1" + "+1" * 500_000)]),
}
"""Rules of a form that is taken without them: staff are told which and why."""


def token(head: bytes, body: bytes = b"{}") -> str:
    """Three parts of a token as a server might send it."""
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (head, body, b"sig"))


TOKENS: dict[str, Any] = {
    "a head 2,000 deep": token(b"[" * 2_000 + b"]" * 2_000),
    "a head of a million arrays": token(b"[" * MB),
    "17 KB": token(b'{"alg":"RS256"}', b"x" * 17_000),
    "none": token(b'{"alg":"none"}'),
    "two parts": "a.b",
    "a thousand parts": "." * 1_000,
    "no text": {"a": 1},
    "packed": token(b'{"alg":"dir","enc":"A128GCM","zip":"DEF"}', zlib.compress(b"0" * MB)),
    "a number without end": token(b'{"alg":"RS256","x":' + b"9" * 5_000 + b"}"),
    "not ASCII": "é.é.é",
    "a list for an algorithm": token(b'{"alg":["RS256"]}'),
    "an algorithm that is an object": token(b'{"alg":{}}'),
}
