import json
from tests.review.every_block import *
from tests.review.conftest import *
import pytest
SAYS={"changed":{
 "contact":{"text":"555 0199"},"person":{"name":"Someone New","relation":"Son","phone":"555 0777"},"medication":{"text":"two at night"},
 "pharmacy":{"text":"Elm Pharmacy"},"allergy":{"text":"only a rash"},"condition":{"text":"much better"},"procedure":{"text":"It was 2004"},
 "immunization":{"text":"in 2022"},"family":{"text":"It was my aunt"},"coverage":{"insurer":"Prairie Health","plan":"Silver","member":"PH-2"},"careteam":{"text":"Dr Okoro retired"}},
 "stopped":{k:{"when":"2025-03","why":"No reason"} for k in SECTIONS}}
ADD={"contact":{"what":"555 0888"},"person":{"what":"Ben Lane","relation":"Brother","phone":"555 0222"},"medication":{"what":"Magnesium","more":"one at night"},
"pharmacy":{"what":"Oak Pharmacy"},"allergy":{"what":"Latex","more":"rash"},"condition":{"what":"Gout","more":"2019"},"procedure":{"what":"Hernia repair","more":"2018"},
"immunization":{"what":"Flu","more":"2024"},"family":{"what":"Brother","more":"Asthma"},"coverage":{"what":"Acme","plan":"Basic","member":"A-1"},"careteam":{"what":"Dr Novak","more":"Heart doctor"}}
@pytest.mark.parametrize("database",["sqlite"],indirect=True)
@pytest.mark.parametrize("answer",["changed","added"])
def test_x(world,tmp_path,answer):
    with clinic(world,tmp_path):
        before=record(world)
        first=set()
        def speaks_(rnd,key,line):
            said=SAYS.get(answer,{}).get(key,{})
            if rnd==1: first.add(line.fact["key"])
            elif line.fact["key"] not in first: return "same",{}
            if rnd==2 and answer=="changed": said={n:t+"9" for n,t in said.items() if True} if key not in ("coverage",) else {**said,"member":"PH-3"}
            if rnd==2 and answer=="changed" and key=="person": said={**SAYS["changed"]["person"],"phone":"555 0666"}
            return (answer if answer!="added" else "same", said)
        for rnd in (1,2):
            add=ADD if rnd==1 else {k:{n:(t if n=="what" and k not in ("contact",) else t+"0") for n,t in r.items()} for k,r in ADD.items()}
            goes_through(world,lambda k,l:speaks_(rnd,k,l),add if answer=="added" else None)
            sub=reviewed(world)
            from portal.review import service
            from tests.review.conftest import DESK
            v=service.open_submission(world.actor(),sub,DESK)
            print("=====",answer,"round",rnd)
            for i in v.items: print("  ITEM",i.proposal.kind,i.proposal.title,i.proposal.answer.value,i.proposal.effect,i.proposal.reasons,i.proposal.stale)
            print(" delivery", v.delivery and v.delivery.state)
            try: delivered(world)
            except AssertionError as e: print("NOT DELIVERED",e)
            after=record(world)
            for k in after:
                if after[k]!=before.get(k):
                    print("  REC",k,json.dumps({n:x for n,x in after[k].items() if before.get(k,{}).get(n)!=x},default=str)[:1100], "PROV",len(who_said(world,k)))
            before=after
            if rnd==1: opened_again(world)
