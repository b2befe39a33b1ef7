from tests.web.test_what_travels import *
def test_dbg(small):
    put(small, record("dosing_range", "anywhere", low=3, high=3, unit="mg"))
    with serving(url_of(small)) as client:
        r=client.get("/dosing-ranges/anywhere"); print(r.status_code); t=r.text; print(t[t.find('On the scale'):][:2500])
        print(client.get("/dosing-ranges/dose").text.count('class="band'))
    assert 0
