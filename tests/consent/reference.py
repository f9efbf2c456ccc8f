"""A second evaluator of consents, written from the rules' text alone: slow, over raw JSON, sharing no code with the portal's."""

from datetime import datetime, timedelta

REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
LEVEL = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
RANK = "ULMNRV"
CHILD_OF = {"ETREAT": "TREAT", "BIORCH": "HRESCH", "CLINTRCH": "HRESCH", "COVAUTH": "HPAYMT", "HLEGAL": "HOPERAT"}
PART_OF = {"ETHUD": "ETH", "OPIOIDUD": "ETH"}
UNDERSTOOD = {
    "type",
    "period",
    "purpose",
    "actor",
    "securityLabel",
    "data",
    "dataPeriod",
    "provision",
    "id",
    "extension",
}


def verdict(consents, ask):
    """'permit' or 'deny'. `consents`: [(base, json)]; `ask`: dict of now, zone, patients, actor, purpose (system, code),
    identities, authors, related, dates, labels [(system, code)], clinician, privileged, policy."""
    said = [say(base, consent, ask) for base, consent in consents]
    if "deny" in said:
        return "deny"
    if "permit" in said:
        return "permit"
    if "no permit" in said:
        return "deny"
    return "permit" if default(ask) else "deny"


def default(ask):
    system, code = ask["purpose"]
    breaking = (system, code) == (REASON, "BTG")
    if ask["policy"] == "basic-normal":
        return ask["clinician"] and system == REASON and code in ("TREAT", "ETREAT")
    if ask["policy"] == "all-normal":
        return not breaking or ask["privileged"]
    if ask["policy"] == "break-glass-only":
        return breaking and ask["privileged"]
    return False


def say(base, consent, ask):
    """'deny', 'permit', 'no permit' (a boundary) or None."""
    if not isinstance(consent, dict):
        return "deny"
    names = meant(consent.get("patient"), base)
    if names and not names & ask["patients"]:
        return None
    status = consent.get("status")
    if status in ("draft", "proposed", "rejected", "inactive", "entered-in-error"):
        return None
    if consent.get("resourceType") != "Consent" or status != "active":
        return "deny"
    scopes = {(c.get("system"), c.get("code")) for c in consent.get("scope", {}).get("coding", [])}
    consent_scope = "http://terminology.hl7.org/CodeSystem/consentscope"
    if (consent_scope, "patient-privacy") not in scopes:
        elsewhere = {(consent_scope, other) for other in ("research", "adr", "treatment")}
        return None if scopes and scopes <= elsewhere else "deny"
    if not names or "modifierExtension" in str(consent):
        return "deny"
    root = consent.get("provision", {})
    kinds = {root["type"]} if "type" in root else set()
    for coding in consent.get("policyRule", {}).get("coding", []):
        kinds |= {"OPTIN": {"permit"}, "OPTOUT": {"deny"}}.get(coding.get("code"), set())
    if len(kinds) != 1 or any("provision" in inner for inner in root.get("provision", [])):
        return "deny"
    kind = kinds.pop()
    if not now_in(root.get("period"), ask):
        return None
    inner_said = set()
    for inner in root.get("provision", []):
        rule = inner if inner["type"] == "deny" else {**without_type(root), **inner}
        if matches(rule, inner["type"], base, ask) and now_in(inner.get("period"), ask):
            inner_said.add(inner["type"])
    for wins in ("deny", "permit"):
        if wins in inner_said:
            return wins
    if matches(root, kind, base, ask):
        return kind
    return "no permit" if kind == "permit" else None


def without_type(root):
    return {name: held for name, held in root.items() if name not in ("type", "period", "provision")}


def matches(rule, kind, base, ask):
    permit = kind == "permit"
    if permit and set(rule) - UNDERSTOOD:
        return False
    return all(
        (
            element(rule.get("purpose"), permit, lambda c: purpose(c, ask)),
            element(rule.get("actor"), permit, lambda a: actor(a, base, ask)),
            element(rule.get("data"), permit, lambda d: data(d, base, ask)),
            labels(rule.get("securityLabel"), permit, ask),
            data_period(rule.get("dataPeriod"), permit, ask),
        )
    )


def element(entries, permit, test):
    """One entry is enough; an entry that is not understood (None) is no entry of a permit and every entry of a deny."""
    if entries is None:
        return True
    answers = [test(entry) for entry in entries]
    return any(answer is True or (answer is None and not permit) for answer in answers)


def purpose(coding, ask):
    if not coding.get("system") or not coding.get("code"):
        return None
    system, code = ask["purpose"]
    while code:
        if (coding["system"], coding["code"]) == (system, code):
            return True
        code = CHILD_OF.get(code) if system == REASON else None
    return False


def actor(entry, base, ask):
    roles = [(c.get("system"), c.get("code")) for c in entry.get("role", {}).get("coding", [])]
    names = meant(entry.get("reference"), base)
    if ("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP") not in roles or not names:
        return None
    return bool(names & ask["actor"])


def data(entry, base, ask):
    names = meant(entry.get("reference"), base)
    pool = {
        "instance": ask["identities"],
        "related": ask["related"] | ask["identities"],
        "authoredby": ask["authors"],
    }.get(entry.get("meaning"))
    if pool is None or not names:
        return None
    return bool(names & pool)


def labels(entries, permit, ask):
    if entries is None:
        return True
    listed = [(c.get("system"), c.get("code")) for c in entries]
    broken = any(not system or not code for system, code in listed)
    if broken and not permit:
        return True
    about = [label for label in ask["labels"] if label[0] not in (LEVEL, REASON)]
    levels = [code for system, code in ask["labels"] if system == LEVEL]
    if about or not levels:
        levels.append("R")
    level = max(levels, key=RANK.index)
    if permit:
        return (LEVEL, level) in listed or (bool(about) and all(wider(each) & set(listed) for each in about))
    if any(wider(each) & set(listed) for each in about) or any(set(about) & wider(each) for each in listed):
        return True
    refused = [RANK.index(code) for system, code in listed if system == LEVEL]
    return bool(refused) and RANK.index(level) >= min(refused)


def wider(label):
    system, code = label
    found = {label}
    if system == CODE and code in PART_OF:
        found.add((CODE, PART_OF[code]))
    return found


def data_period(bounds, permit, ask):
    if bounds is None:
        return True
    start, end = limits(bounds, ask["zone"])
    if not ask["dates"]:
        return not permit
    stretches = [whole(date, ask["zone"]) for date in ask["dates"]]
    first, last = min(s for s, _ in stretches), max(e for _, e in stretches)
    return (start <= first and last <= end) if permit else (first < end and start < last)


def now_in(bounds, ask):
    if bounds is None:
        return True
    start, end = limits(bounds, ask["zone"])
    return start <= ask["now"] < end


def limits(bounds, zone):
    start = whole(bounds["start"], zone)[0] if "start" in bounds else datetime.min.replace(tzinfo=zone)
    end = whole(bounds["end"], zone)[1] if "end" in bounds else datetime.max.replace(tzinfo=zone)
    return start, end


def whole(text, zone):
    """First instant in, first instant out."""
    if "T" in text:
        at = datetime.fromisoformat(text).replace(microsecond=0)
        return at, at + timedelta(seconds=1)
    parts = [int(part) for part in text.split("-")]
    if len(parts) == 1:
        return datetime(parts[0], 1, 1, tzinfo=zone), datetime(parts[0] + 1, 1, 1, tzinfo=zone)
    if len(parts) == 2:
        year, month = parts
        following = (year + 1, 1) if month == 12 else (year, month + 1)
        return datetime(year, month, 1, tzinfo=zone), datetime(*following, 1, tzinfo=zone)
    after = datetime(*parts) + timedelta(days=1)
    return datetime(*parts, tzinfo=zone), after.replace(tzinfo=zone)


def meant(reference, base):
    """The names a Reference goes by."""
    if not isinstance(reference, dict):
        return set()
    found = set()
    address = reference.get("reference", "")
    if address and not address.startswith("#"):
        address = address.split("/_history/")[0]
        found.add(address if "://" in address or address.startswith("urn:") else base + "/" + address)
    identifier = reference.get("identifier", {})
    if identifier.get("system") and identifier.get("value"):
        found.add(identifier["system"] + "|" + identifier["value"])
    return found
