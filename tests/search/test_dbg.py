from tests.conftest import *
from tests.search.conftest import *
from app.search import service, suggest
def test_x(engines, asked):
    n=0
    with opened(engines("sqlite").original) as one, opened(engines("postgresql").original) as other, one.read() as a, other.read() as b:
        for q in asked:
            x,y=service.search(a,q,{}),service.search(b,q,{})
            if x!=y:
                n+=1
                if n<12:
                    print(repr(q), [f for f in ('hits','total','every','did_you_mean','facets','terms') if getattr(x,f)!=getattr(y,f)], x.total,y.total, set(x.hits)^set(y.hits) and list(set(x.hits)^set(y.hits))[:4], x.terms)
        print('DIFF',n,len(asked)); n=0
        for s in sorted({q[:l] for q in asked for l in (2,5,9)}):
            x,y=suggest.suggest(a,s,20,()),suggest.suggest(b,s,20,())
            if x!=y:
                n+=1
                if n<5: print(repr(s), [i for i in x if i not in y][:3],[i for i in y if i not in x][:3], len(x),len(y))
        print('SDIFF',n)
    assert 0
