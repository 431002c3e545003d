from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.links.anatomy import dissect
from tools.links.facts import brands
from tools.links.lookalike import imitations, is_one_edit_apart, mixed_script, skeleton
from tools.links.suffixes import is_public_suffix


def signs(link: str) -> list[tuple[str, str]]:
    return [(found.kind, found.brand.name) for found in imitations(dissect(link))]


@pytest.mark.parametrize(
    ("link", "kind", "brand"),
    [
        ("pаypal.com", "brand_homograph", "PayPal"),
        ("xn--80ak6aa92e.com", "brand_homograph", "Apple"),
        ("mícrosoft.com", "brand_homograph", "Microsoft"),
        ("gооgle-login.com", "brand_homograph", "Google"),
        ("paypa1.com", "brand_digit_swap", "PayPal"),
        ("g00gle.com", "brand_digit_swap", "Google"),
        ("rnicrosoft.com", "brand_digit_swap", "Microsoft"),
        ("4pple.com", "brand_digit_swap", "Apple"),
        ("paypall.com", "brand_misspelt", "PayPal"),
        ("gogle.com", "brand_misspelt", "Google"),
        ("payapl.com", "brand_misspelt", "PayPal"),
        ("paypal-login.example.com", "brand_in_subdomain", "PayPal"),
        ("paypal-login.com", "brand_in_domain", "PayPal"),
        ("securepaypal.com", "brand_in_domain", "PayPal"),
        ("apple-id-login.com", "brand_in_domain", "Apple"),
        ("appleidlogin.com", "brand_in_domain", "Apple"),
        ("www.paypal.com.example.net", "brand_domain_in_subdomain", "PayPal"),
        ("paypal.com-login.example.net", "brand_domain_in_subdomain", "PayPal"),
        ("paypal.weebly.com", "brand_on_free_hosting", "PayPal"),
        ("paypal-login.github.io", "brand_on_free_hosting", "PayPal"),
        ("paypal.tk", "brand_other_suffix", "PayPal"),
        ("joinwhatsappnow.com", "brand_near", "WhatsApp"),
        ("example.com/PayPal/index.php", "brand_in_path", "PayPal"),
        ("example.com/www.paypal.com/", "brand_in_path", "PayPal"),
    ],
)
def test_a_borrowed_name_is_named(link: str, kind: str, brand: str) -> None:
    assert (kind, brand) in signs(link)


@pytest.mark.parametrize(
    "link",
    [
        "pineapple.com",
        "purchase.com",
        "apple-orchard.com",
        "grapple.org",
        "chases.org",
        "targetshooting.com",
        "discover-spain.com",
        "abode.com",
        "cloud.example.com",
        "mobile-files.com",
        "outlook.example.com",
        "signal-processing.org",
        "münchen.de",
        "nestlé.com",
        "пример.рф",
        "example.com/news/paypal-fees-rise",
    ],
)
def test_words_that_happen_to_hold_a_name_are_left_alone(link: str) -> None:
    assert signs(link) == []


@pytest.mark.parametrize(
    "link",
    [
        "paypal.com",
        "www.paypal.de",
        "amazon.co.jp",
        "blog.google",
        "sites.google.com/paypal",
        "github.io",
        "hmrc.gov.uk",
        "hmrc-login.service.gov.uk",
    ],
)
def test_a_brand_does_not_imitate_itself(link: str) -> None:
    assert signs(link) == []


def test_no_brand_is_reported_on_any_of_its_own_domains() -> None:
    taken = {domain: signs(domain) for brand in brands() for domain in brand.domains}

    assert {domain: found for domain, found in taken.items() if found} == {}


def test_the_list_of_brands_holds_registered_domains_in_lower_case_ascii() -> None:
    for brand in brands():
        for domain in brand.domains:
            closed_suffix = is_public_suffix(domain)
            assert closed_suffix or dissect(domain).registered_domain == domain, brand.name


@pytest.mark.parametrize("one", ["раураl", "PAYPAL", "paypa1", "pàypal", "ｐaypal"])
def test_what_looks_alike_has_one_skeleton(one: str) -> None:
    assert skeleton(one) == skeleton("paypal")


@pytest.mark.parametrize(
    ("host", "label"), [("gооgle.com", "gооgle"), ("a.пaра.b", "пaра"), ("αпp.com", "αпp")]
)
def test_a_label_of_two_scripts_is_named(host: str, label: str) -> None:
    assert mixed_script(host) == label


@pytest.mark.parametrize(
    "host", ["example.com", "пример.рф", "日本語ab.jp", "ひらがなカタカナ漢字.jp", "münchen-1.de"]
)
def test_scripts_that_are_written_together_are_no_mixture(host: str) -> None:
    assert mixed_script(host) == ""


LETTERS = st.text("abc", min_size=1, max_size=6)


@given(LETTERS, LETTERS)
def test_one_edit_is_what_its_definition_says(one: str, other: str) -> None:
    edits = {one[:i] + one[i + 1 :] for i in range(len(one))}
    edits |= {one[:i] + letter + one[i:] for i in range(len(one) + 1) for letter in "abc"}
    edits |= {one[:i] + letter + one[i + 1 :] for i in range(len(one)) for letter in "abc"}
    edits |= {one[:i] + one[i + 1] + one[i] + one[i + 2 :] for i in range(len(one) - 1)}

    assert is_one_edit_apart(one, other) == (other in edits - {one})
