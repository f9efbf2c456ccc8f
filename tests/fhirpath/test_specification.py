"""Every function and operator of FHIRPath, with what its specification says of it, read and written down case by case."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from portal.fhirpath import FhirPathError, FhirPathSyntaxError, FhirPathUnsupported, Quantity, compile
from portal.fhirpath.functions import FUNCTIONS, REFUSED
from portal.fhirpath.temporal import Temporal

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p",
    "active": True,
    "birthDate": "1974-12-25",
    "_birthDate": {"extension": [{"url": "urn:time", "valueDateTime": "1974-12-25T14:35:45-05:00"}]},
    "gender": "female",
    "name": [
        {"use": "official", "family": "Byron", "given": ["Ada", "Augusta"]},
        {"use": "usual", "given": ["Ada"]},
        {"use": "maiden", "family": "King", "_given": [{"extension": [{"url": "urn:why", "valueCode": "unknown"}]}]},
    ],
    "multipleBirthInteger": 2,
    "contact": [{"name": {"family": "Lovelace"}, "relationship": [{"coding": [{"system": "urn:r", "code": "N"}]}]}],
    "maritalStatus": {"coding": [{"system": "urn:m", "code": "M"}], "text": "Married"},
    "managingOrganization": {"reference": "#o"},
    "contained": [{"resourceType": "Organization", "id": "o", "name": "Clinic", "partOf": {"reference": "#"}}],
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>Ada</p></div>'},
}

CONFORMING: list[tuple[str, str, list[Any] | None]] = [
    ("", "Patient", [True]), ("", "Patient|4.0.1", [True]), ("", "DomainResource", [True]), ("", "Resource", [True]),
    ("", "Person", [False]), ("name.first().", "HumanName", [True]), ("name.first().", "Address", [False]), ("name.", "HumanName", None),
    ("gender.", "code", [True]), ("gender.", "string", [True]), ("1.", "integer", [False]), ("{}.", "Patient", []),
    ("", "Patient|3.0.2", None), ("", "Nonsense", None), ("contained.", "Organization", [True]),
]  # fmt: skip
# expression -> what it gives; texts for dates, times and quantities
CASES: dict[str, list[tuple[str, list[Any]]]] = {
    "existence": [
        ("{}.empty()", [True]), ("name.empty()", [False]), ("name.exists()", [True]), ("{}.exists()", [False]),
        ("name.exists(use = 'usual')", [True]), ("name.exists(use = 'nickname')", [False]),
        ("name.all(use.exists())", [True]), ("name.all(family.exists())", [False]), ("{}.all(false)", [True]),
        ("(true | true).allTrue()", [True]), ("(true | false).allTrue()", [False]), ("{}.allTrue()", [True]),
        ("(true | false).anyTrue()", [True]), ("{}.anyTrue()", [False]), ("(false | false).allFalse()", [True]),
        ("{}.allFalse()", [True]), ("(true | false).anyFalse()", [True]), ("{}.anyFalse()", [False]),
        ("(1 | 2).subsetOf(1 | 2 | 3)", [True]), ("{}.subsetOf(1)", [True]), ("(1 | 4).subsetOf(1 | 2)", [False]),
        ("(1 | 2 | 3).supersetOf(1 | 2)", [True]), ("(1).supersetOf({})", [True]), ("{}.supersetOf(1)", [False]),
        ("name.count()", [3]), ("{}.count()", [0]), ("(1 | 1 | 2).count()", [2]), ("name.given.distinct()", ["Ada", "Augusta"]),
        ("name.given.isDistinct()", [False]), ("{}.isDistinct()", [True]), ("{}.not()", []), ("true.not()", [False]),
    ],
    "filtering": [
        ("name.where(use = 'usual').given", ["Ada"]), ("name.where({})", []), ("name.where(false)", []),
        ("name.select(given.first())", ["Ada", "Ada"]), ("name.select($index)", [0, 1, 2]),
        ("contained.repeat(partOf | contained).count()", [1]), ("repeat(contact | contact.name).count()", [2]),
        ("(1).repeat($this + 1 | {}).where($this > 3)", None),
        ("(3).repeatAll(iif($this > 1, $this - 1, {}))", [2, 1]),
        ("contained.ofType(Organization).name", ["Clinic"]), ("contained.ofType(FHIR.Patient)", []),
        ("(1 | 'a' | true).ofType(String)", ["a"]), ("(1 | 2.0).ofType(System.Decimal)", [Decimal("2.0")]),
        ("multipleBirth.ofType(integer)", [2]), ("multipleBirth.ofType(boolean)", []),
        ("coalesce({}, name.nothing, 'b', 'c')", ["b"]), ("coalesce({})", []),
    ],
    "subsetting": [
        ("name.given[0]", ["Ada"]), ("name.given[9]", []), ("name.given[-1]", []), ("gender.single()", ["female"]),
        ("{}.single()", []), ("name.given.single()", None), ("name.given.first()", ["Ada"]), ("{}.first()", []),
        ("(1 | 2 | 3).last()", [3]), ("(1 | 2 | 3).tail()", [2, 3]), ("{}.tail()", []), ("(1 | 2 | 3).skip(2)", [3]),
        ("(1 | 2).skip(0)", [1, 2]), ("(1 | 2).skip(-1)", [1, 2]), ("(1 | 2).skip(5)", []), ("(1 | 2 | 3).take(2)", [1, 2]),
        ("(1 | 2).take(0)", []), ("(1 | 2).take(-3)", []), ("(1 | 2 | 3).intersect(3 | 2 | 2)", [2, 3]),
        ("(1 | 2 | 3).exclude(2)", [1, 3]), ("name.given.exclude('x')", ["Ada", "Augusta", "Ada"]),
    ],
    "combining": [
        ("(1 | 2).union(2 | 3)", [1, 2, 3]), ("name.given | 'x'", ["Ada", "Augusta", "x"]), ("{} | {}", []),
        ("name.select(use.union(given))", ["official", "Ada", "Augusta", "usual", "Ada", "maiden"]),
        ("(1 | 2).combine(2)", [1, 2, 2]), ("{}.combine({})", []), ("1.0 | 1 | 1.00", [Decimal("1.0")]),
    ],
    "conversion": [
        ("iif(true, 'a', 'b')", ["a"]), ("iif(false, 'a')", []), ("iif({}, 'a', 'b')", ["b"]), ("iif(true, 1, name.single())", [1]),
        ("'true'.toBoolean()", [True]), ("'Y'.toBoolean()", [True]), ("'0'.toBoolean()", [False]), ("'maybe'.toBoolean()", []),
        ("1.toBoolean()", [True]), ("2.toBoolean()", []), ("1.0.toBoolean()", [True]), ("'on'.convertsToBoolean()", [False]),
        ("'12'.toInteger()", [12]), ("'-7'.toInteger()", [-7]), ("'1.0'.toInteger()", []), ("true.toInteger()", [1]),
        ("'2147483648'.toInteger()", []), ("'2147483648'.toLong() > 2147483647L", [True]), ("'a'.convertsToInteger()", [False]),
        ("'1.50'.toDecimal()", [Decimal("1.50")]), ("true.toDecimal()", [Decimal(1)]), ("'x'.toDecimal()", []),
        ("1.50.toString()", ["1.50"]), ("true.toString()", ["true"]), ("@2014-01.toString()", ["2014-01"]),
        ("5 'mg'.toString()", ["5 'mg'"]), ("@T10:30.toString()", ["10:30"]), ("name.first().toString()", []),
        ("'2014-02'.toDate()", ["2014-02"]), ("'2014-13'.toDate()", []), ("@2014-02-03T10:00.toDate()", ["2014-02-03"]),
        ("'2014-02-30'.convertsToDate()", [False]), ("'2014-01-01T10:00Z'.toDateTime()", ["2014-01-01T10:00Z"]),
        ("'2014'.convertsToDateTime()", [True]), ("'10:30'.toTime()", ["10:30"]), ("'25:00'.convertsToTime()", [False]),
        ("'5 \\'mg\\''.toQuantity()", ["5 'mg'"]), ("'4 days'.toQuantity()", ["4 days"]), ("1.toQuantity()", ["1 '1'"]),
        ("'5 mg'.convertsToQuantity()", [False]), ("(1 'kg').toQuantity('g')", ["1000 'g'"]),
        ("70.5.toQuantity('kg')", ["70.5 'kg'"]), ("'3'.toQuantity('days')", ["3 days"]), ("5.toQuantity('nonsense')", []),
        ("50.toQuantity('%')", ["50 '%'"]), ("(0.5 '1').toQuantity('%')", ["50 '%'"]), ("(5 '1').toQuantity('kg')", ["5 'kg'"]),
        ("(3 weeks).toQuantity('d')", ["21 'd'"]), ("(1 year).toQuantity('d')", ["365 'd'"]), ("(1 year).toQuantity('mo')", []),
        ("'1e3'.toDecimal()", []), ("'ff'.decode('hex')", []), ("'naïve'.encode('ascii')", ["na?ve"]),
        ("5.convertsToQuantity('kg')", [True]), ("(5 'm').convertsToQuantity('kg')", [False]), ("(1 'kg').toQuantity('m')", []),
        ("{}.toInteger()", []), ("{}.convertsToInteger()", []),
    ],
    "strings": [
        ("'abcdef'.indexOf('cd')", [2]), ("'abc'.indexOf('x')", [-1]), ("'abc'.indexOf('')", [0]), ("{}.indexOf('a')", []),
        ("'ababab'.lastIndexOf('ab')", [4]), ("'abc'.lastIndexOf('x')", [-1]), ("'abcdef'.substring(3)", ["def"]),
        ("'abc'.substring(1, 1)", ["b"]), ("'abc'.substring(3)", []), ("'abc'.substring(-1)", []), ("'abc'.substring(1, 99)", ["bc"]),
        ("'abc'.startsWith('ab')", [True]), ("'abc'.startsWith('')", [True]), ("'abc'.endsWith('bc')", [True]),
        ("'abc'.contains('b')", [True]), ("'abc'.contains('')", [True]), ("'abc'.upper() & 'DEF'.lower()", ["ABCdef"]),
        ("'abcdab'.replace('ab', 'x')", ["xcdx"]), ("'abc'.replace('', 'x')", ["xaxbxcx"]), ("'abc'.replace('x', 'y')", ["abc"]),
        ("'N8000123123'.matches('^N[0-9]{8}$')", [False]), ("'N80001231'.matches('^N[0-9]{8}$')", [True]),
        ("'a\\nb'.matches('a.b')", [True]), ("'xaby'.matches('ab')", [True]), ("'xaby'.matchesFull('ab')", [False]),
        ("'11/30/1972'.replaceMatches('(?P<m>[0-9]+)/(?P<d>[0-9]+)/(?P<y>[0-9]+)', '${y}-${m}-${d}')", ["1972-11-30"]),
        ("'abc'.length()", [3]), ("''.length()", [0]), ("'héé'.length()", [3]), ("'abc'.toChars()", ["a", "b", "c"]),
        ("' a b '.trim()", ["a b"]), ("'a,b,,c'.split(',')", ["a", "b", "", "c"]), ("('a' | 'b').join('-')", ["a-b"]),
        ("('a' | 'b').join()", ["ab"]), ("{}.join(',')", []), ("'Ada'.encode('base64')", ["QWRh"]),
        ("'QWRh'.decode('base64')", ["Ada"]),
        ("'a/?'.encode('urlbase64')", ["YS8_"]), ("'é'.encode('hex')", ["c3a9"]), ("'c3a9'.decode('hex')", ["é"]),
        ("'<a href=\"x\">'.escape('html')", ["&lt;a href=&quot;x&quot;&gt;"]), ("'&lt;a&gt;'.unescape('html')", ["<a>"]),
        ("'say \"x\"'.escape('json')", ['say \\"x\\"']), ("'say \\\\\"x\\\\\"'.unescape('json')", ['say "x"']),
        ("gender.length()", [6]), ("birthDate.substring(0, 4)", ["1974"]),
    ],
    "escapes": [
        ("'\\u0041\\t\\'\\\"\\`\\\\\\/'", ["A\t'\"`\\/"]), ("`name`.`given`.first()", ["Ada"]), ("'\\p'", ["p"]),
        ("'a' /* b */ & 'c' // d", ["ac"]), ("'\\ud83d\\ude00'.length()", [1]),
    ],
    "formats of dates": [
        ("'24.12.2025'.toDate('dd.MM.yyyy')", ["2025-12-24"]), ("'4/7/49'.toDate('d/M/yy')", ["2049-07-04"]),
        ("'071250'.toDate('ddMMyy')", ["1950-12-07"]), ("'07-2025'.toDate('MM-yyyy')", ["2025-07"]), ("'2025'.toDate('yyyy')", ["2025"]),
        ("'30.02.2025'.toDate('dd.MM.yyyy')", []), ("'24.12.'.toDate('dd.MM.')", []), ("'x24.12.2025'.toDate('dd.MM.yyyy')", []),
        ("'24.12.2025 17:30'.toDate('dd.MM.yyyy HH:mm')", ["2025-12-24"]), ("@2025-12-24.toDate('yyyy')", ["2025-12-24"]),
        ("'24.12.2025'.convertsToDate('dd.MM.yyyy')", [True]), ("'2025-12-24'.convertsToDate('dd.MM.yyyy')", [False]),
        ("'2025-12-24'.toDate({})", ["2025-12-24"]), ("'24 Dec 2025'.toDate('dd MMM yyyy')", None), ("'1'.toDate(1)", None),
        ("'12122025'.toDate('ddddyyyy')", None), ("'1 1 2025'.toDate('d d yyyy')", None),
        ("'24/12/2025 05:07 pm'.toDateTime('dd/MM/yyyy hh:mm a')", ["2025-12-24T17:07"]),
        ("'24/12/2025 12:07 AM'.toDateTime('dd/MM/yyyy hh:mm a')", ["2025-12-24T00:07"]),
        ("'24/12/2025 13:07 AM'.toDateTime('dd/MM/yyyy hh:mm a')", []), ("'1 25'.toDateTime('h yy')", []),
        ("'20251224T170708.25+0130'.toDateTime('yyyyMMddTHHmmss.SSZ')", ["2025-12-24T17:07:08.25+01:30"]),
        ("'24.12.2025 25:00'.convertsToDateTime('dd.MM.yyyy HH:mm')", [False]),
    ],
    "intervals": [
        ("@1990-06-15.duration(@2025-06-14, 'year')", [34]), ("@1990-06-15.duration(@2025-06-15, 'years')", [35]),
        ("@2025-06-15.duration(@1990-06-15, 'year')", [-35]), ("birthDate.duration(today(), 'year')", [51]),
        ("@2024-01-31.duration(@2024-02-29, 'month')", [0]), ("@2024-01-31.difference(@2024-02-29, 'month')", [1]),
        ("@2024-03-08.duration(@2024-03-14, 'week')", [0]), ("@2024-03-09.difference(@2024-03-10, 'week')", [1]),
        ("@2024-03-10.difference(@2024-03-09, 'week')", [-1]), ("@2024-03-10.difference(@2024-03-16, 'week')", [0]),
        ("@2024-03-09T23:00:00.duration(@2024-03-10T22:59:59, 'day')", [0]),
        ("@2024-03-09T23:00:00.difference(@2024-03-10T01:00:00, 'day')", [1]),
        ("@2024-03-09T10:59:00Z.difference(@2024-03-09T13:01:00+02:00, 'hour')", [1]),
        ("@2024-03-09T10:59:00Z.duration(@2024-03-09T13:01:00+02:00, 'minute')", [2]),
        ("@T08:00:00.duration(@T08:00:01.5, 'millisecond')", [1500]), ("@T09:30.duration(@T08:31, 'hour')", [0]),
        ("@2024-03.duration(@2024-05-01, 'day')", []), ("@2024-03.difference(@2024-05-01, 'month')", [2]),
        ("@2024.duration(@2030, 'year')", [6]), ("{}.duration(today(), 'day')", []), ("today().difference({}, 'day')", []),
        ("today().duration(today(), {})", []), ("@2024-03-09.duration(@2024-03-10, 'hour')", None),
        ("@T08:00.duration(@T09:00, 'day')", None), ("@T08:00.duration(today(), 'hour')", None),
        ("today().duration(today(), 'decade')", None), ("1.duration(2, 'day')", None),
    ],
    "made elements": [
        ("Coding { system: 'urn:s', code: 'c' }.code", ["c"]), ("FHIR.Coding { code: gender }.code is code", [True]),
        ("Period { start: @2024-01-01 }.start", ["2024-01-01"]), ("CodeableConcept { coding: Coding { code: 'a' } }.coding.count()", [1]),
        ("name.select(HumanName { given: given }).given", ["Ada", "Augusta", "Ada"]), ("Period {:}.exists()", [True]),
        ("Quantity { value: 5, system: %ucum, code: 'mg' } = 5 'mg'", [True]), ("code { value: 'final' }", ["final"]),
        ("Extension { url: 'urn:x', value: Coding { code: 'a' } }.value.code", ["a"]), ("{}.select(Coding { code: 'a' })", []),
        ("Observation { status: 'final', value: 'x' }.value", ["x"]), ("Coding { code: {} }.code", []),
        ("Coding { code: 'a' }.type().name", ["Coding"]), ("Patient {:} is Patient", [True]), ("Coding { nothing: 'x' }", None),
        ("Period { start: name.given }", None), ("name.select($this).Coding { code: 'a' }", None), ("Coding {}", None),
        ("Nothing { code: 'x' }", None), ("Extension { value: name.first().family.length() }.value", [5]),
        ("Parameters { parameter: Parameters.parameter { name: 'a' } }.parameter.name", ["a"]), ("code { value: 'a  b' }", None),
    ],
    "places": [
        ("name[0].given.pathname()", ["Patient.name[0].given[0]", "Patient.name[0].given[1]"]),
        ("name.given.last().pathname()", ["Patient.name[2].given[0]"]),
        ("multipleBirth.pathname()", ["Patient.multipleBirth[0]"]), ("multipleBirth.pathname(true)", ["Patient.multipleBirth"]),
        ("birthDate.extension.value.pathname(true)", ["Patient.birthDate.extension[0].value"]), ("pathname()", ["Patient"]),
        ("managingOrganization.resolve().name.pathname()", ["Patient.contained[0].name[0]"]), ("gender.upper().pathname()", []),
        ("{}.pathname()", []), ("Coding { code: 'a' }.pathname()", []),
        ("%resource.name.first().family.pathname()", ["Patient.name[0].family[0]"]),
        ("contact.name.family.pathname(true)", ["Patient.contact[0].name.family"]),
    ],
    "nothing where one value is due": [
        ("(1 | 2).skip({})", []), ("(1 | 2).take({})", []), ("1 'cm'.comparable({})", []), ("'abc'.split({})", []),
        ("'abc'.substring({})", []), ("'abc'.encode({})", []), ("16.log({})", []), ("'a'.indexOf({})", []), ("name[{}]", []),
        ("'a'.matches({})", []), ("'a'.replaceMatches('a', {})", []), ("today() + {}", []), ("$index", [0]),
    ],
    "one item where one is due": [
        ("(1 | 2).iif(true, 'a', 'b')", None), ("name.iif(use = 'usual', 'a')", None), ("{}.iif(true, 'a')", ["a"]),
        ("name.select(iif($index = 1, use))", ["usual"]), ("gender.iif(exists(), upper())", ["FEMALE"]), ("16.log(0)", []),
    ],
    "mathematics": [
        ("(-2147483648).abs()", []), ("(-2147483647).abs()", [2147483647]), ("(-2147483648L).abs() = 2147483648L", [True]),
        ("name[2].given.sum()", []), ("name[2].given.avg()", []),
        ("(-5.5).abs()", [Decimal("5.5")]), ("(-5 'mg').abs()", ["5 'mg'"]), ("1.1.ceiling()", [2]), ("(-1.1).ceiling()", [-1]),
        ("(-2.1).floor()", [-3]), ("101.99.truncate()", [101]), ("(-1.56).truncate()", [-1]), ("2.5.round()", [Decimal(3)]),
        ("3.14159.round(3)", [Decimal("3.142")]), ("0.exp()", [Decimal(1)]), ("1.ln()", [Decimal(0)]), ("0.ln()", []),
        ("0.log(2)", []), ("0.sqrt()", [Decimal(0)]),
        ("16.log(2)", [Decimal(4)]), ("100.0.log(10.0)", [Decimal(2)]), ("2.power(3)", [8]), ("2.5.power(2)", [Decimal("6.25")]),
        ("(-1).power(0.5)", []), ("81.sqrt()", [Decimal(9)]), ("(-1).sqrt()", []), ("{}.abs()", []), ("2.power({})", []),
        ("1 + 2 * 3", [7]), ("(1 + 2) * 3", [9]), ("7 div 2", [3]), ("-7 div 2", [-3]), ("7 mod 2", [1]), ("-7 mod 2", [-1]),
        ("5.5 mod 2", [Decimal("1.5")]), ("1 / 0", []), ("1 div 0", []), ("1 mod 0", []), ("1 / 2", [Decimal("0.5")]),
        ("0.1 + 0.2", [Decimal("0.3")]), ("1.10 * 1", [Decimal("1.10")]), ("2147483647 + 1", []), ("1 + {}", []), ("5L + 1", [6]),
        ("'a' + 'b'", ["ab"]), ("'a' + {}", []), ("'a' & {}", ["a"]), ("{} & {}", [""]), ("-(-1)", [1]), ("+3", [3]),
    ],
    "quantities": [
        ("1 'kg' + 500 'g'", ["1500 'g'"]), ("3 'm' * 2 'm' = 6 'm2'", [True]), ("6 'm' / 3 's'", ["2 'm/s'"]),
        ("1 'kg' = 1000 'g'", [True]), ("1 'kg' ~ 1000.0 'g'", [True]), ("1 'kg' > 999 'g'", [True]), ("1 'kg' = 1 'm'", []),
        ("1 'kg' < 1 'm'", []), ("1 year = 12 months", [True]), ("1 year = 1 'a'", []), ("1 year ~ 1 'a'", [True]),
        ("7 days = 1 week", [True]), ("1 second = 1 's'", [True]), ("1 'cm'.comparable(1 'm')", [True]),
        ("1 'cm'.comparable(1 's')", [False]), ("-5 'mg'", ["-5 'mg'"]), ("2 * 3 'mg'", ["6 'mg'"]),
        ("(37 'Cel').toQuantity('[degF]')", ["98.6 '[degF]'"]),
    ],
    "dates": [
        ("@2014-01-31 + 1 month", ["2014-02-28"]), ("@2012-02-29 + 1 year", ["2013-02-28"]), ("@2014 + 24 months", ["2016"]),
        ("@2014-03-31 - 1 month", ["2014-02-28"]), ("@2014-12-31 + 1 day", ["2015-01-01"]), ("@2016-02-28 + 1 week", ["2016-03-06"]),
        ("@T23:30 + 45 minutes", ["00:15"]), ("@2014-01-01T00:00:00Z - 1 second", ["2013-12-31T23:59:59Z"]),
        ("@2014-01 + 40 days", ["2014-02"]), ("@2014-01-01 + 1 'a'", None), ("@2014-01-01 + 1 'd'", ["2014-01-02"]),
        ("@9999-12-31 + 1 day", None), ("@2014 = @2014-01", []), ("@2014 < @2015-03", [True]), ("@2014-01 < @2014", []),
        ("@2014-01-01T10:00Z = @2014-01-01T12:00+02:00", [True]), ("@2014 ~ @2014-01", [False]), ("@2014-01 != @2014", []),
        ("@T10:30 < @T10:30:01", []), ("@2014-01-01 = @2014-01-01T00:00", []), ("today()", ["2026-11-22"]),
        ("now()", ["2026-11-22T09:30:00.000Z"]), ("timeOfDay()", ["09:30:00.000"]), ("birthDate < today() - 18 years", [True]),
        ("@2014-05-06.yearOf() + @2014-05-06.monthOf() + @2014-05-06.dayOf()", [2025]), ("@2014-05-06.hourOf()", []),
        ("@2014-05-06T10:20:30.456+02:00.hourOf()", [10]), ("@2014-05-06T10:20:30.456+02:00.minuteOf()", [20]),
        ("@2014-05-06T10:20:30.456+02:00.secondOf()", [30]), ("@2014-05-06T10:20:30.456+02:00.millisecondOf()", [456]),
        ("@2014-05-06T10:20:30.456+02:00.timezoneOffsetOf()", [Decimal(2)]), ("@2014-05-06T10:20:30.dateOf()", ["2014-05-06"]),
        ("@2014-05-06T10:20.timeOf()", ["10:20"]),
    ],
    "boundaries": [
        ("1.587.lowBoundary()", [Decimal("1.58650000")]), ("1.587.highBoundary()", [Decimal("1.58750000")]),
        ("1.587.lowBoundary(2)", [Decimal("1.58")]), ("1.lowBoundary(0)", [Decimal(0)]), ("@2014.lowBoundary(6)", ["2014-01"]),
        ("@2014.highBoundary(8)", ["2014-12-31"]), ("@2014-02.highBoundary(8)", ["2014-02-28"]), ("1.587.lowBoundary(-1)", []),
        ("@2014-01-01T08.lowBoundary(17)", ["2014-01-01T08:00:00.000+14:00"]), ("@T10:30.highBoundary(9)", ["10:30:59.999"]),
        ("@T10:30.lowBoundary(9)", ["10:30:00.000"]), ("1.58700.precision()", [5]), ("@2014.precision()", [4]),
        ("@2014-01-05T10:30:00.000.precision()", [17]), ("@T10:30.precision()", [4]), ("{}.precision()", []),
    ],
    "tree and utility": [
        ("name.first().children().count()", [4]), ("maritalStatus.descendants().count()", [4]), ("gender.children()", []),
        ("name.given.trace('names').count()", [4]), ("name.trace('n', use).count()", [3]),
        ("defineVariable('n', name.first()).select(%n.family)", ["Byron"]), ("defineVariable('n').select(%n.gender)", ["female"]),
        ("defineVariable('context')", None), ("defineVariable('a', 1).defineVariable('a', 2)", None),
        ("(defineVariable('a', 1).gender | 'x') | %a", None), ("(3 | 1 | 2).sort()", [1, 2, 3]),
        ("(3 | 1 | 2).sort($this desc)", [3, 2, 1]), ("name.sort(family desc, use).use", ["maiden", "official", "usual"]),
        ("(1 | 2 | 3).aggregate($this + $total, 0)", [6]), ("(1 | 2 | 3).aggregate(iif($total.empty(), $this, $total * $this))", [6]),
        ("(5 | 2 | 9).aggregate(iif($total.empty() or $this < $total, $this, $total))", [2]),
        ("(1 | 2 | 3).sum()", [6]), ("(1.5 | 2).avg()", [Decimal("1.75")]), ("(2 | 9 | 4).max()", [9]), ("('b' | 'a').min()", ["a"]),
        ("%context.gender", ["female"]), ("%resource.id", ["p"]), ("%ucum", ["http://unitsofmeasure.org"]),
        ("%sct & %loinc", ["http://snomed.info/scthttp://loinc.org"]), ("%unknown", None),
        ("%`vs-name`", ["http://hl7.org/fhir/ValueSet/name"]), ("%given", ["yes"]),
    ],
    "equality": [
        ("1 = 1.0", [True]), ("'a' = 'A'", [False]), ("'a  b' ~ 'A  B'", [True]), ("'a\\tb' ~ 'a b'", [True]), ("{} = {}", []),
        ("1 = {}", []), ("{} ~ {}", [True]), ("1 ~ {}", [False]), ("(1 | 2) = (1 | 2)", [True]), ("(1 | 2) = (2 | 1)", [False]),
        ("(1 | 2) ~ (2 | 1)", [True]), ("(1 | 2) = 1", [False]), ("1 != 2", [True]), ("1 !~ 2", [True]), ("0.67 ~ 0.6712", [True]),
        ("name.first() = name.first()", [True]), ("name[0] = name[1]", [False]), ("1 = '1'", [False]), ("true = 'true'", [False]),
        ("maritalStatus.coding = maritalStatus.coding", [True]), ("1 < 2", [True]), ("'a' < 'b'", [True]), ("1 < {}", []),
        ("1 < 'a'", None), ("(1 | 2) < 3", None), ("1 in (1 | 2)", [True]), ("{} in (1 | 2)", []), ("1 in {}", [False]),
        ("(1 | 2) contains 2", [True]), ("{} contains 1", [False]), ("(1 | 2) contains {}", []), ("(1 | 2) in 1", None),
    ],
    "logic in three values": [
        ("true and true", [True]), ("true and {}", []), ("false and {}", [False]), ("{} and false", [False]), ("{} and {}", []),
        ("true or {}", [True]), ("{} or true", [True]), ("false or {}", []), ("{} or {}", []), ("true xor false", [True]),
        ("true xor {}", []), ("true xor true", [False]), ("true implies false", [False]), ("false implies {}", [True]),
        ("{} implies true", [True]), ("{} implies false", []), ("true implies {}", []), ("1 and true", [True]), ("'' and true", [True]),
        ("(true | false) and true", None),
    ],
    "precedence": [
        ("1 | 2 + 3", [1, 5]), ("1 + 2 = 3 and 2 > 1", [True]), ("true or false and false", [True]),
        ("false implies false or true", [True]), ("-1.abs()", [-1]), ("1 = 1 in (true | false)", [True]), ("2 > 1 = true", [True]),
        ("1 + 1 is Integer", [True]), ("1 > 2 is Boolean", None), ("'a' & 'b' + 'c'", ["abc"]), ("10 - 3 - 2", [5]),
        ("gender = 'female' and name.exists() implies active", [True]), ("6 / 3 * 2", [Decimal(4)]),
    ],
    "types": [
        ("gender is code", [True]), ("gender is string", [True]), ("gender is System.String", [False]), ("'a' is String", [True]),
        ("1 is Integer", [True]), ("1 is Decimal", [False]), ("$this is Patient", [True]), ("$this is DomainResource", [True]),
        ("$this is Observation", [False]), ("Patient.birthDate is date", [True]), ("name.first() is HumanName", [True]),
        ("name.first() as HumanName = name.first()", [True]), ("multipleBirth as boolean", []), ("{} is String", []),
        ("(name as HumanName)", None), ("multipleBirth is integer", [True]), ("gender.type().name", ["code"]),
        ("gender.type().namespace", ["FHIR"]), ("1.type().name", ["Integer"]), ("'a'.type().namespace", ["System"]),
        ("contact.type().name", ["Patient.contact"]), ("is(Patient)", [True]), ("gender.as(code)", ["female"]),
        ("multipleBirth", [2]), ("multipleBirthInteger", [2]), ("Patient.gender", ["female"]), ("Observation.gender", []),
        ("@2014 is Date", [True]), ("@2014T is DateTime", [True]), ("@T10 is Time", [True]), ("1 'mg' is Quantity", [True]),
        ("5L is Long", [True]), ("gender.ofType(String)", ["female"]), ("gender.ofType(System.String)", ["female"]),
        ("birthDate.ofType(Date)", ["1974-12-25"]), ("multipleBirth.ofType(Integer)", [2]), ("gender is String", [False]),
    ],
    "FHIR": [
        ("birthDate.extension('urn:time').value", ["1974-12-25T14:35:45-05:00"]), ("birthDate.extension('urn:no')", []),
        ("extension('urn:x')", []), ("birthDate.hasValue()", [True]), ("name.given.hasValue()", [False]),
        ("name[2].given.hasValue()", [False]),
        ("gender.getValue() is System.String", [True]), ("name[2].given.getValue()", []),
        ("name[2].given.extension('urn:why').value", ["unknown"]),
        ("name[2].given.count()", [1]), ("managingOrganization.resolve().name", ["Clinic"]), ("'#o'.resolve() is Organization", [True]),
        ("managingOrganization.resolve().partOf.resolve().id", ["p"]), ("'Practitioner/9'.resolve()", []),
        ("text.`div`.htmlChecks()", [True]), ("'<b>bold</b> and <i>not</i>'.htmlChecks()", [True]), ("'<form/>'.htmlChecks()", [False]),
        ("active.htmlChecks()", []), ("name.htmlChecks()", []), ("name.given.htmlChecks()", []), ("'<b>'.htmlChecks()", [False]),
        ("'Patient/p'.resolve()", []), ("birthDate.extension(1)", None), ("extension({})", []),
        *((f"{path}conformsTo('http://hl7.org/fhir/StructureDefinition/{name}')", found) for path, name, found in CONFORMING),
        ("gender.memberOf('urn:vs')", []), ("{}.memberOf('urn:vs')", []), ("maritalStatus.coding.weight()", []),
    ],
}  # fmt: skip
TABLE = [(expression, expected) for group in CASES.values() for expression, expected in group]


def said(value: Any) -> Any:
    return str(value).removesuffix("T") if isinstance(value, Temporal | Quantity) else value


@pytest.mark.parametrize(("expression", "expected"), TABLE, ids=[pair[0][:70] for pair in TABLE])
def test_an_expression_means_what_the_specification_says(expression: str, expected: list[Any] | None) -> None:
    """None where the specification wants an error."""

    def evaluated() -> list[Any]:
        return [said(value) for value in compile(expression).evaluate(PATIENT, {"given": "yes"}, now=NOW)]

    if expected is None:
        with pytest.raises(FhirPathError):
            evaluated()
        return
    found = evaluated()
    assert found == expected
    assert [type(value) is bool for value in found] == [type(value) is bool for value in expected]
    assert [str(value) for value in found] == [str(value) for value in expected]


def test_every_function_is_in_the_table() -> None:
    """A new function comes with its cases."""
    text = json.dumps([expression for expression, _ in TABLE])
    elsewhere = {"ordinal", "convertsToDecimal", "convertsToLong", "convertsToString"}
    assert {name for name in FUNCTIONS if f"{name}(" not in text} <= elsewhere


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_is_not_done_is_refused_by_its_name_and_place(name: str) -> None:
    with pytest.raises(FhirPathUnsupported, match=name) as refused:
        compile(f"gender.{name}('x')")
    assert refused.value.position == 7


MISTAKES = [
    ("1 +", 3), ("(1", 2), ("1)", 1), ("name.", 5), (".name", 0), ("name..given", 5), ("'abc", 0), ("`abc", 0), ("1 1", 2), ("a b", 2),
    ("name[", 5), ("name[]", 5), ("{1}", 1), ("%", 1), ("@", 0), ("@2014-02-30", 0), ("@T24:00", 0), ("@2014-01-01T25", 0),
    ("1 === 1", 3), ("1 == 1", 3), ("a && b", 3), ("a || b", 3), ("!a", 0), ("a ? b : c", 2), ("name.where(use = 'x'", 20),
    ("name.where()", 5), ("name.first(1)", 5), ("iif(true)", 0), ("name.nonsense()", 5), ("1 is", 4), ("1 is Nonsense", 2), ("and", 0),
    ("true and", 8), ("$these", 0), ("/* open", 0), ("name;", 4), ("\"text\"", 0), ("1 ++", 4), ("name,given", 4), ("#", 0), ("1.", 2),
    ("@T14:34:28Z.is(Time)", 0), ("1 year year", 7),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "position"), MISTAKES, ids=[text for text, _ in MISTAKES])
def test_what_is_not_the_grammar_is_refused_where_it_goes_wrong(expression: str, position: int) -> None:
    with pytest.raises(FhirPathSyntaxError) as refused:
        compile(expression)
    assert refused.value.position == position
