"""Words from which made-up people are put together; no pair is meant to be anybody."""

_GIVEN = (
    "Aiko Amara Ana Anders Aoife Arjun Astrid Aylin Bao Beatriz Camille Chidi Clara Daan Dalia Davide Elif Elena "
    "Emeka Erik Esra Fatima Felix Finn Giulia Hana Hassan Hugo Ines Ivan Jakub Jing Jonas Kaito Karin Katya Kwame "
    "Laila Lars Leila Lena Linh Luca Maeve Malik Marta Mateo Mei Milan Nadia Niamh Nia Noah Noor Olga Omar Paulo "
    "Petra Priya Rania Ravi Rosa Sanna Selin Sofia Tariq Thabo Tomas Uma Viktor Wei Yara Yusuf Zofia Zuri"
)

_SURNAMES = (
    "Abebe Acheampong Aydin Bakker Banerjee Bauer Bianchi Castillo Chen Costa Demir Dubois Eriksen Esposito Farouk "
    "Fischer Fontaine Garcia Gomes Haddad Hansen Hoffmann Horvat Ibrahim Ito Jansen Johansson Kaya Keller Khan Kim "
    "Kone Kovac Kowalski Kumar Larsen Lehmann Lindqvist Lopez Mahlangu Marino Martins Mbeki Meier Mensah Moreau "
    "Murphy Nagy Nakamura Nguyen Novak Nowak Obi Okafor Olsen Osei Patel Pereira Petrov Popescu Quinn Ramirez Rao "
    "Rossi Ryan Sahin Sato Schneider Sharma Silva Singh Suzuki Takahashi Tanaka Tran Vargas Virtanen Weber Wong "
    "Yilmaz Zhang"
)

GIVEN = tuple(_GIVEN.split())
SURNAMES = tuple(_SURNAMES.split())

DEPARTMENTS = (
    "Engineering",
    "Finance",
    "Human Resources",
    "Legal",
    "Logistics",
    "Marketing",
    "Retail",
    "Sales",
    "Support",
)

USAGE_LOCATIONS = ("CH", "DE", "FR", "GB", "IN", "JP", "SE", "US")
