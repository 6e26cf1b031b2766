"""Where in UltraCart and in Thiio an operator finds what a remedy names.

Sources: UltraCart's pages 38770251 (webhooks), 3417767939 (keys and channel partners), 1377170 (gateways);
Thiio's page 2680619034.
"""

from __future__ import annotations

KEYS = "UltraCart's Home > Configuration > Development > API Keys"
PARTNERS = "UltraCart's Home > Configuration > Custom Channel Partners"
WEBHOOKS = "UltraCart's Home > Configuration > Development > Webhooks"
GATEWAYS = (
    "UltraCart's Home > Configuration > Checkout > Payments > Debit and Credit Cards > "
    "Multiple (rotating) gateways"
)
THIIO_PRODUCTS = "Thiio's product list, under Metadata"
THIIO_GATEWAYS = "Thiio's gateway settings"
THIIO_FILE = "the file that ULTRATHIIO_THIIO__MAPPING_FILE names"
