"""Names a person knows for common laboratory codes; whatever is not listed keeps the laboratory's own name. Pure.

The codes are LOINC codes; the words are ours. LOINC is copyright Regenstrief Institute, Inc., used under its licence.
"""

from typing import Any

from portal.labs.words import _, codings, concept_words

LOINC = "http://loinc.org"

NAMES: dict[str, str] = {
    "1742-6": _("ALT (a liver enzyme)"),
    "1751-7": _("Albumin (a protein in blood)"),
    "1920-8": _("AST (a liver enzyme)"),
    "1959-6": _("Bicarbonate"),
    "1963-8": _("Bicarbonate"),
    "1968-7": _("Direct bilirubin"),
    "1975-2": _("Bilirubin (total)"),
    "1988-5": _("CRP (a sign of inflammation)"),
    "2000-8": _("Calcium"),
    "17861-6": _("Calcium"),
    "2028-9": _("Carbon dioxide"),
    "2069-3": _("Chloride"),
    "2075-0": _("Chloride"),
    "2085-9": _("HDL cholesterol (“good” cholesterol)"),
    "2089-1": _("LDL cholesterol (“bad” cholesterol)"),
    "13457-7": _("LDL cholesterol (“bad” cholesterol)"),
    "18262-6": _("LDL cholesterol (“bad” cholesterol)"),
    "2093-3": _("Cholesterol (total)"),
    "2132-9": _("Vitamin B12"),
    "2160-0": _("Creatinine (a kidney test)"),
    "38483-4": _("Creatinine (a kidney test)"),
    "2276-4": _("Ferritin (iron stores)"),
    "2284-8": _("Folate"),
    "2324-2": _("GGT (a liver enzyme)"),
    "2339-0": _("Glucose (blood sugar)"),
    "2345-7": _("Glucose (blood sugar)"),
    "1558-6": _("Glucose, fasting (blood sugar)"),
    "2498-4": _("Iron"),
    "2532-0": _("LDH"),
    "2571-8": _("Triglycerides"),
    "2601-3": _("Magnesium"),
    "19123-9": _("Magnesium"),
    "2777-1": _("Phosphate"),
    "2823-3": _("Potassium"),
    "6298-4": _("Potassium"),
    "2857-1": _("PSA (a prostate test)"),
    "2885-2": _("Protein (total)"),
    "2951-2": _("Sodium"),
    "2947-0": _("Sodium"),
    "3016-3": _("TSH (a thyroid test)"),
    "3024-7": _("Free T4 (a thyroid hormone)"),
    "3051-0": _("Free T3 (a thyroid hormone)"),
    "3084-1": _("Uric acid"),
    "3094-0": _("Urea nitrogen (a kidney test)"),
    "6299-2": _("Urea nitrogen (a kidney test)"),
    "3173-2": _("Clotting time (aPTT)"),
    "5902-2": _("Clotting time (PT)"),
    "6301-6": _("INR (clotting)"),
    "34714-6": _("INR (clotting)"),
    "33914-3": _("eGFR (how well the kidneys filter)"),
    "48642-3": _("eGFR (how well the kidneys filter)"),
    "62238-1": _("eGFR (how well the kidneys filter)"),
    "98979-8": _("eGFR (how well the kidneys filter)"),
    "4544-3": _("Haematocrit (share of red cells)"),
    "4548-4": _("HbA1c (average blood sugar)"),
    "17856-6": _("HbA1c (average blood sugar)"),
    "59261-8": _("HbA1c (average blood sugar)"),
    "718-7": _("Haemoglobin"),
    "6690-2": _("White blood cells"),
    "789-8": _("Red blood cells"),
    "777-3": _("Platelets"),
    "785-6": _("MCH (haemoglobin in a red cell)"),
    "786-4": _("MCHC (haemoglobin in red cells)"),
    "787-2": _("MCV (size of red cells)"),
    "788-0": _("RDW (how much red cells differ in size)"),
    "21000-5": _("RDW (how much red cells differ in size)"),
    "751-8": _("Neutrophils (white cells)"),
    "731-0": _("Lymphocytes (white cells)"),
    "742-7": _("Monocytes (white cells)"),
    "711-2": _("Eosinophils (white cells)"),
    "704-7": _("Basophils (white cells)"),
    "30341-2": _("ESR (a sign of inflammation)"),
    "4537-7": _("ESR (a sign of inflammation)"),
    "6768-6": _("Alkaline phosphatase (a liver and bone enzyme)"),
    "1989-3": _("Vitamin D"),
    "62292-8": _("Vitamin D"),
    "14957-5": _("Albumin in urine"),
    "14959-1": _("Albumin to creatinine in urine"),
    "9318-7": _("Albumin to creatinine in urine"),
    "2888-6": _("Protein in urine"),
    "5767-9": _("Appearance of urine"),
    "5778-6": _("Colour of urine"),
    "5792-7": _("Glucose in urine"),
    "5803-2": _("pH of urine"),
    "5811-5": _("Specific gravity of urine"),
    "24323-8": _("Metabolic panel"),
    "51990-0": _("Basic metabolic panel"),
    "24321-2": _("Basic metabolic panel"),
    "57698-3": _("Cholesterol and fats (lipid panel)"),
    "24331-1": _("Cholesterol and fats (lipid panel)"),
    "58410-2": _("Complete blood count"),
    "57021-8": _("Complete blood count"),
    "24325-3": _("Liver tests"),
    "24362-6": _("Kidney tests"),
    "24356-8": _("Urine test"),
    "85354-9": _("Blood pressure"),
    "8480-6": _("Blood pressure, upper number (systolic)"),
    "8462-4": _("Blood pressure, lower number (diastolic)"),
    "8867-4": _("Heart rate"),
    "8310-5": _("Body temperature"),
    "8302-2": _("Height"),
    "29463-7": _("Weight"),
    "39156-5": _("BMI"),
    "9279-1": _("Breathing rate"),
    "59408-5": _("Oxygen in blood"),
    "2708-6": _("Oxygen in blood"),
}


def code_key(concept: Any) -> str:
    """One comparable name of what was measured: the LOINC code when there is one, else the first code, else the text."""
    listed = [(str(each.get("system", "")), str(each["code"])) for each in codings(concept) if each.get("code")]
    for system, code in sorted(listed, key=lambda pair: pair[0] != LOINC):
        return f"{system}|{code}"
    return f"|{concept_words(concept)}"


def names(concept: Any) -> tuple[str, str]:
    """The name to show and, behind it, the laboratory's own long name ("" when it adds nothing)."""
    own = concept_words(concept)
    displays = [str(each["display"]) for each in codings(concept) if each.get("display")]
    known = [
        NAMES[str(each["code"])]
        for each in codings(concept)
        if each.get("system") == LOINC and str(each.get("code")) in NAMES
    ]
    short = known[0] if known else own
    longer = [each for each in (*displays, own) if each and each != short]
    return short or _("A result without a name"), longer[0] if longer else ""
