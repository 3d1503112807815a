/**
 * The time zones of telephone number prefixes: key: the zones, between spaces; value: the prefixes (calling code and what
 * follows it), between spaces. The longest prefix that fits counts; one that says no more than its own prefix is left out.
 *
 * Source: libphonenumber 9.0.43 (Copyright The Libphonenumber Authors, Apache License 2.0), resources/timezones/map_data.txt,
 * reduced: of calling code 1 the exchanges of an area code are put together to all zones of the area code, because numbers
 * are ported within it, and the zones of the whole calling code are left out: an area code that is not here is in no plan.
 */
export const NUMBER_ZONE_TABLE: Readonly<Record<string, string>> = {
  'Africa/Abidjan': '225',
  'Africa/Accra': '233',
  'Africa/Addis_Ababa': '251',
  'Africa/Asmera': '291',
  'Africa/Bamako': '223',
  'Africa/Bangui': '236',
  'Africa/Banjul': '220',
  'Africa/Blantyre': '265',
  'Africa/Brazzaville': '242',
  'Africa/Bujumbura': '257',
  'Africa/Cairo': '20',
  'Africa/Conakry': '224',
  'Africa/Dakar': '221',
  'Africa/Dar_es_Salaam': '255',
  'Africa/Djibouti': '253',
  'Africa/Douala': '237',
  'Africa/Freetown': '232',
  'Africa/Gaborone': '267',
  'Africa/Harare': '263',
  'Africa/Johannesburg': '27',
  'Africa/Kampala': '256',
  'Africa/Khartoum': '249',
  'Africa/Kigali': '250',
  'Africa/Kinshasa': '2431 2433 2434 2435 2436',
  'Africa/Kinshasa Africa/Lubumbashi': '243',
  'Africa/Lagos': '234',
  'Africa/Libreville': '241',
  'Africa/Lome': '228',
  'Africa/Luanda': '244',
  'Africa/Lubumbashi': '2432',
  'Africa/Lusaka': '260',
  'Africa/Malabo': '240',
  'Africa/Maputo': '258',
  'Africa/Maseru': '266',
  'Africa/Mbabane': '268',
  'Africa/Mogadishu': '252',
  'Africa/Nairobi': '211 254',
  'Africa/Ndjamena': '235',
  'Africa/Niamey': '227',
  'Africa/Nouakchott': '222',
  'Africa/Ouagadougou': '226',
  'Africa/Porto-Novo': '229',
  'Africa/Sao_Tome': '239',
  'Africa/Tunis': '216',
  'Africa/Windhoek': '264',
  'America/Adak America/Anchorage America/Juneau Pacific/Honolulu': '1907',
  'America/Anguilla': '1264',
  'America/Antigua': '1268',
  'America/Aruba': '297',
  'America/Asuncion': '595',
  'America/Barbados': '1246',
  'America/Belize': '501',
  'America/Bogota': '57',
  'America/Boise America/Denver America/Los_Angeles': '1208 1775',
  'America/Boise America/Los_Angeles': '1986',
  'America/Buenos_Aires': '54',
  'America/Cancun': '52983 52984 52987 52998',
  'America/Cancun America/Ciudad_Juarez America/Matamoros America/Mazatlan America/Mexico_City America/New_York America/Ojinaga America/Tijuana': `
    52
  `,
  'America/Caracas': '58',
  'America/Cayenne': '594',
  'America/Cayman': '1345',
  'America/Chicago': `
    1205 1210 1214 1217 1218 1224 1225 1228 1235 1251 1254 1256 1262 1274 1281 1309 1312 1314 1316 1318 1319 1320
    1325 1327 1331 1334 1337 1346 1353 1361 1402 1405 1409 1414 1417 1430 1432 1447 1464 1469 1479 1501 1504 1507
    1512 1515 1531 1534 1539 1557 1563 1572 1573 1580 1601 1608 1612 1615 1618 1629 1630 1636 1641 1651 1659 1660
    1662 1682 1689 1708 1712 1713 1715 1726 1730 1731 1737 1763 1769 1773 1779 1806 1815 1816 1817 1830 1832 1847
    1870 1872 1901 1903 1913 1918 1920 1931 1936 1938 1940 1945 1952 1956 1972 1975 1979 1985 505
  `,
  'America/Chicago America/Denver': '1308 1620 1785',
  'America/Chicago America/Denver America/North_Dakota/Center': '1605 1701',
  'America/Chicago America/New_York': '1219 1270 1423 1574 1606 1812 1850 1906',
  'America/Ciudad_Juarez': '52656',
  'America/Costa_Rica': '506',
  'America/Curacao': '5996 5999',
  'America/Curacao America/Kralendijk': '599',
  'America/Denver': '1303 1307 1385 1406 1435 1505 1575 1719 1720 1748 1801 1915 1970 1983',
  'America/Denver America/Los_Angeles': '1541',
  'America/Denver America/Phoenix': '1928',
  'America/Dominica': '1767',
  'America/Edmonton': '1368 1403 1587 1780 1825',
  'America/Edmonton America/Fort_Nelson America/Toronto America/Vancouver America/Winnipeg': '1867',
  'America/Edmonton America/Vancouver': '1250',
  'America/El_Salvador': '503',
  'America/Godthab': '2991 2992 2993 2994 2995 2996 2998 2999',
  'America/Godthab America/Scoresbysund America/Thule': '299',
  'America/Grand_Turk': '1649',
  'America/Grenada': '1473',
  'America/Guadeloupe': '590',
  'America/Guatemala': '502',
  'America/Guayaquil': '5932 5933 5934 5935 5936 5937 5939',
  'America/Guayaquil Pacific/Galapagos': '593 59352',
  'America/Guyana': '592',
  'America/Halifax': '1428 1506 1782 1902',
  'America/Halifax America/St_Johns': '1709',
  'America/Halifax America/Toronto': '1418',
  'America/Havana': '53',
  'America/Jamaica': '1658 1876',
  'America/Kralendijk': '5993 5994 5997',
  'America/La_Paz': '591',
  'America/Lima': '51',
  'America/Los_Angeles': `
    1206 1209 1213 1253 1279 1310 1323 1341 1350 1360 1369 1408 1415 1424 1425 1442 1458 1503 1509 1510 1530 1559
    1562 1564 1619 1626 1628 1650 1657 1661 1669 1702 1707 1714 1725 1738 1747 1760 1805 1818 1820 1831 1840 1858
    1909 1916 1925 1949 1951 1971
  `,
  'America/Lower_Princes': '1721',
  'America/Manaus': '55553682 5565 5566 5567 5569 559',
  'America/Manaus America/Noronha America/Rio_Branco America/Sao_Paulo': '55',
  'America/Martinique': '596',
  'America/Matamoros': '52867 52877 52878 52894 52899',
  'America/Mazatlan': `
    52311 52319 52323 52324 52325 52327 52389 52612 52613 52614 52615 5262 5263 5264 52651 52652 52653 52657 52659
    52660 52662 52667 52668 52669 52672 52673 52687 5269
  `,
  'America/Mazatlan America/Mexico_City': '52649',
  'America/Mexico_City': '522 523 524 525 52618 52663 52671 52674 52675 52676 52677 527 528 529',
  'America/Mexico_City America/New_York': '52201',
  'America/Mexico_City America/Tijuana': '52200',
  'America/Miquelon': '508',
  'America/Montevideo': '598',
  'America/Montserrat': '1664',
  'America/Nassau': '1242',
  'America/New_York': `
    1201 1202 1203 1207 1212 1215 1216 1220 1223 1227 1229 1231 1234 1239 1240 1248 1252 1260 1267 1269 1272 1276
    1283 1301 1302 1304 1305 1313 1315 1317 1321 1324 1326 1329 1330 1332 1336 1339 1347 1351 1352 1363 1364 1380
    1386 1401 1404 1407 1410 1412 1413 1419 1434 1440 1443 1445 1448 1463 1470 1472 1475 1478 1484 1502 1508 1513
    1516 1517 1518 1540 1551 1561 1567 1570 1571 1582 1585 1586 1603 1607 1609 1610 1614 1616 1617 1631 1640 1645
    1646 1656 1667 1678 1680 1681 1686 1703 1704 1706 1716 1717 1718 1724 1727 1728 1732 1734 1740 1743 1754 1757
    1762 1765 1770 1771 1772 1774 1781 1786 1802 1803 1804 1810 1813 1814 1821 1826 1828 1835 1838 1839 1843 1845
    1848 1854 1856 1857 1859 1860 1862 1863 1864 1865 1878 1904 1908 1910 1912 1914 1917 1919 1929 1930 1934 1937
    1941 1943 1947 1948 1954 1959 1973 1978 1980 1984 1989
  `,
  'America/Noronha': `
    55812 5581300 55813013 55813016 55813017 55813018 55813022 55813024 55813027 55813029 55813042 55813043 55813044
    55813047 55813054 55813056 55813057 55813058 5581306 55813070 55813085 55813098 558131 55813200 55813206
    55813208 55813209 55813210 55813211 55813215 55813218 55813219 55813220 5581323 55813240 55813245 55813246
    55813247 55813248 55813250 55813258 55813259 55813260 55813261 55813262 55813263 5581327 5581328 5581329
    55813300 55813306 55813307 55813308 55813309 55813310 55813313 55813315 55813321 55813324 55813329 5581333
    55813340 55813346 55813347 55813348 55813349 5581335 5581336 55813370 55813373 55813374 5581338 5581339 5581340
    55813410 55813415 55813417 55813418 55813420 55813430 55813440 55813450 55813460 55813470 55813480 55813485
    55813488 55813489 55813490 55813496 558135 5581360 5581361 55813620 55813623 55813630 55813632 55813640 55813650
    55813659 5581366 55813670 55813672 55813674 55813677 55813680 55813690 55813696 55813697 55813698 558137 558138
    558139 55814 55815 55817 55819
  `,
  'America/Ojinaga': '52626',
  'America/Panama': '507',
  'America/Paramaribo': '597',
  'America/Phoenix': '1480 1520 1602 1623',
  'America/Port-au-Prince': '509',
  'America/Port_of_Spain': '1868',
  'America/Puerto_Rico': '1787 1939',
  'America/Puerto_Rico America/St_Johns': '1879',
  'America/Regina': '1306 1639',
  'America/Rio_Branco': '5568',
  'America/Santiago': '56',
  'America/Santo_Domingo': '1809 1829 1849',
  'America/Sao_Paulo': `
    551 552 553 554 5550 5551 5553 5554 5555 5561 5562 5563 5564 55673480 55693527 557 558 5590 55912121 55912122
    55912123 55912992 55913004 5591301 55913028 55913031 55913032 55913033 55913038 55913039 55913072 55913073
    55913075 5591308 5591311 55913120 55913121 55913131 55913181 55913182 55913184 55913194 55913199 559132 55913311
    55913321 55913322 55913323 5591334 55913351 55913352 55913353 55913355 55913366 55913397 55913411 55913412
    55913423 55913425 55913429 55913434 5591344 55913456 5591346 55913481 55913482 55913483 55913484 55913485
    55913494 55913521 55913556 55913605 55913606 55913617 55913621 55913633 55913636 55913637 55913658 55913661
    55913662 55913665 55913692 55913694 55913711 55913712 5591372 5591373 55913741 55913744 55913746 5591375
    55913764 55913765 55913767 5591377 55913781 55913783 55913784 55913795 55913796 55913798 55913802 55913803
    55913809 55913811 55913812 55913817 55913821 55913822 55913823 55913829 5591400 55914040 55914042 55914103
    55914104 55914107 55914141 559198 5591991 5591992 5591993 55919960 55919961 55919962 55919963 55919964 5591998
    5591999 55925009 55932101 55932122 55933016 55933017 55933062 55933063 55933064 55933067 55933222 55933502
    55933505 55933512 55933514 55933515 55933517 55933518 5593352 5593353 5593354 55933552 55933557 55933558
    55933559 55933563 55933574 55933582 55933589 55933593 55933596 55933597 55933598 55933735 55933736 55933737
    55933793 55939810 55939811 55939812 55939813 55939840 55939841 55939880 55939881 5593991 55939920 55939921
    55939922 55939923 55939924 55939965 55939990 55939991 55939995 55939997 55942101 55942103 55943012 55943013
    55943016 55943018 55943222 55943301 55943309 55943311 55943312 55943315 55943319 5594332 55943331 55943332
    55943333 55943335 55943337 5594334 5594335 55943364 55943365 55943366 55943379 55943382 55943385 55943386
    55943392 5594342 55943431 55943432 55943433 55943434 55943435 55943491 55943778 55943779 55943785 55943786
    55943787 5594981 55949840 55949841 55949842 55949880 55949881 5594991 5594992 55949930 55949966 55949990
    55949991 55949992 55949995 55949997 5596 5598 5599
  `,
  'America/Scoresbysund': '29999',
  'America/St_Kitts': '1869',
  'America/St_Lucia': '1758',
  'America/St_Thomas': '1340',
  'America/St_Vincent': '1784',
  'America/Tegucigalpa': '504',
  'America/Thule': '29997',
  'America/Tijuana': '52616 52646 52658 52661 52664 52665 52686',
  'America/Toronto': `
    1226 1249 1263 1273 1289 1343 1354 1365 1367 1382 1416 1437 1438 1450 1468 1514 1519 1548 1579 1581 1613 1647
    1683 1705 1742 1753 1819 1873 1905 1942
  `,
  'America/Toronto America/Winnipeg': '1807',
  'America/Tortola': '1284',
  'America/Vancouver': '1236 1257 1604 1672 1778',
  'America/Winnipeg': '1204 1431 1474 1584',
  'Arctic/Longyearbyen': '4779',
  'Arctic/Longyearbyen Europe/Oslo': '47',
  'Asia/Aden': '967',
  'Asia/Almaty': '771 772 779',
  'Asia/Almaty Asia/Anadyr Asia/Aqtobe Asia/Irkutsk Asia/Kamchatka Asia/Krasnoyarsk Asia/Magadan Asia/Novosibirsk Asia/Omsk Asia/Sakhalin Asia/Vladivostok Asia/Yakutsk Asia/Yekaterinburg Europe/Bucharest Europe/Moscow Europe/Samara': `
    7
  `,
  'Asia/Almaty Asia/Aqtobe': '77',
  'Asia/Almaty Asia/Aqtobe Europe/Moscow': '7800 7808 7809 7810',
  'Asia/Amman': '962',
  'Asia/Anadyr': '7427',
  'Asia/Aqtobe': '7711 7712 7713 7729',
  'Asia/Ashgabat': '993',
  'Asia/Baghdad': '964',
  'Asia/Bahrain': '973',
  'Asia/Baku': '994',
  'Asia/Bangkok': '66',
  'Asia/Beirut': '961',
  'Asia/Bishkek': '996',
  'Asia/Brunei': '673',
  'Asia/Calcutta': '91',
  'Asia/Choibalsan': '976158 976258',
  'Asia/Choibalsan Asia/Hovd Asia/Ulaanbaatar': '976',
  'Asia/Choibalsan Asia/Ulaanbaatar': '9761362 9762362',
  'Asia/Colombo': '94',
  'Asia/Damascus': '963',
  'Asia/Dhaka': '880',
  'Asia/Dili': '670',
  'Asia/Dubai': '971',
  'Asia/Dushanbe': '992',
  'Asia/Ho_Chi_Minh': '84',
  'Asia/Hong_Kong': '852',
  'Asia/Hovd': '97614 97624',
  'Asia/Irkutsk': '7301 7395',
  'Asia/Jakarta': `
    622 6231 6232 6233 6234 6235 62513 62515 62519 62522 62525 62528 6253 6256 626 627 628 62920 62958 62963 62979
  `,
  'Asia/Jakarta Asia/Jayapura': '62915 62952',
  'Asia/Jakarta Asia/Jayapura Asia/Makassar': '62',
  'Asia/Jakarta Asia/Makassar': `
    62007 621 62379 62458 62516 62539 6280 62811 62818 62819 62824 62829 62831 62833 62834 62839 62853 62868 62876
    62887
  `,
  'Asia/Jayapura': '6290 6291 6292 62951 62955 62956 62957 62962 62966 62967 62969 62971 62975 6298',
  'Asia/Jayapura Asia/Makassar': '62403',
  'Asia/Jerusalem': '972',
  'Asia/Kabul': '93',
  'Asia/Kamchatka': '7415',
  'Asia/Karachi': '92',
  'Asia/Katmandu': '977',
  'Asia/Krasnoyarsk': '7384 7385 7388 7390 7391 7394',
  'Asia/Kuching': '60',
  'Asia/Kuwait': '965',
  'Asia/Magadan': '7413',
  'Asia/Makassar': '6236 6237 6238 624 62511 62512 62517 62518 62526 62527 6254 6255',
  'Asia/Manila': '63',
  'Asia/Muscat': '968',
  'Asia/Nicosia': '357',
  'Asia/Novosibirsk': '7382 7383',
  'Asia/Omsk': '7381',
  'Asia/Phnom_Penh': '855',
  'Asia/Qatar': '974',
  'Asia/Rangoon': '95',
  'Asia/Riyadh': '966',
  'Asia/Sakhalin': '7424',
  'Asia/Seoul': '82 850',
  'Asia/Shanghai': '853 86',
  'Asia/Singapore': '65',
  'Asia/Taipei': '886',
  'Asia/Tashkent': '998',
  'Asia/Tbilisi': '995',
  'Asia/Tehran': '98',
  'Asia/Thimphu': '975',
  'Asia/Tokyo': '81',
  'Asia/Ulaanbaatar': '97611 97612 97613 97615 97621 97622 97623 97625 97626 9765 9766 9767 9768 9769',
  'Asia/Vientiane': '856',
  'Asia/Vladivostok': '7421 7423 7426',
  'Asia/Yakutsk': '7302 7411 7416',
  'Asia/Yekaterinburg': '733 734 735',
  'Asia/Yerevan': '374',
  'Atlantic/Azores': '351292 351295 351296',
  'Atlantic/Azores Europe/Lisbon': '351',
  'Atlantic/Bermuda': '1441',
  'Atlantic/Canary': '212 34822 34827 34828 34922 34928',
  'Atlantic/Canary Europe/Madrid': '34',
  'Atlantic/Cape_Verde': '238',
  'Atlantic/Faeroe': '298',
  'Atlantic/Reykjavik': '231 245 354',
  'Atlantic/St_Helena': '247 290',
  'Atlantic/Stanley': '500',
  'Australia/Adelaide Australia/Brisbane Australia/Eucla Australia/Lord_Howe Australia/Perth Australia/Sydney Indian/Christmas Indian/Cocos': `
    61
  `,
  'Australia/Adelaide Australia/Eucla Australia/Perth': '61890393 61890395',
  'Australia/Adelaide Australia/Perth': `
    618510 61851100 61851116 61851119 6185112 6185113 61851140 61851141 61851142 61851143 61851144 61851156 61851158
    61851185 61851187 61851209 6185121 61851221 61851227 61851228 61851229 61851231 61851236 61851237 61851238
    61851239 6185127 6185128 6185129 61855 6186 6187 6188 6189
  `,
  'Australia/Adelaide Australia/Perth Indian/Christmas': `
    61891006 61891007 61891008 61891009 61891149 61891178 61891181 61891209 61891263 61891312 61891326 61891375
    61891456 61891497 61891700 61891701 61891710 61891711 61891712
  `,
  'Australia/Adelaide Australia/Perth Indian/Cocos': `
    61891010 61891011 61891012 61891029 61891122 61891150 61891179 61891182 61891210 61891264 61891308 61891322
    61891368 61891428 61891498 61891702 61891959
  `,
  'Australia/Brisbane': `
    61721000 61721001 61721002 61721003 6172101 6172102 6172103 6172104 6173018 6173019 617303 6173040 6173041
    6173046 617305 61730600 6173061 61730640 61730641 61730643 61730651 61730659 6173066 6173067 6173068 6173069
    617307 617308 61730923 61730938 6173096 6173097 61730992 61731 617322 617323 617326 6173291 6173292 6173295
    6173296 6173300 61733095 61733099 6173316 6173319 6173322 6173330 6173333 6173342 617335 617336 6173403 6173404
    6173405 6173406 6173407 6173411 6173414 617342 6173434 6173435 6173443 6173452 6173455 6173456 6173457 6173460
    6173493 61734973 61734974 61734975 61734976 617350 617353 6173540 6173546 6173547 6173548 617355 61735678 617360
    6173613 617362 617363 61736404 61736405 61736406 61736409 6173646 6173647 6173648 6173666 61736677 61736678
    61736679 61736680 617370 617371 617372 617373 6173748 6173777 61737788 6173811 6173815 6173823 6173828 61738348
    61738359 6173887 617389 6173900 6173901 6173904 6173905 6173910 61739110 61739111 61739112 6173914 6173915
    61739160 61739161 6173917 6173918 6173922 6173924 61739475 6173999
  `,
  'Australia/Lord_Howe': `
    61255053 61255143 61255213 61255280 61255307 61255369 61255413 61255568 61255936 61255937 61265080 61265081
    61265082 61265099 61265164 61265251 61265296 61265341 61265606 61265632 61265998
  `,
  'Australia/Perth': '61851087 6185109 618511 6185120 61851224 61851225 61851226',
  'Australia/Sydney': `
    611 612 613 614 617 61851205 61851230 61851232 61851233 61851234 6185124 6185125 6185126 618513 618514
  `,
  'Europe/Amsterdam': '31',
  'Europe/Andorra': '376',
  'Europe/Athens': '30',
  'Europe/Belgrade': '381 383',
  'Europe/Berlin': '49',
  'Europe/Bratislava': '421',
  'Europe/Brussels': '32',
  'Europe/Bucharest': '218 370 371 372 40 740 970',
  'Europe/Bucharest Europe/Moscow': '7840',
  'Europe/Budapest': '36',
  'Europe/Chisinau': '373',
  'Europe/Copenhagen': '45',
  'Europe/Gibraltar': '350',
  'Europe/Guernsey': '441481',
  'Europe/Guernsey Europe/Isle_of_Man Europe/Jersey Europe/London': '44',
  'Europe/Guernsey Europe/Isle_of_Man Europe/London': `
    353 443 445 4470 4471 4472 4473 4474 4475 44760 44762 44763 447640 447641 447643 447644 447646 44765 44766 44767
    44768 447693 447699 4477 4478 4479 448 449
  `,
  'Europe/Helsinki': '3581 3582 3583 3585 3586 3588 3589',
  'Europe/Helsinki Europe/Mariehamn': '358 35810 35820 35829 35830 35839 35850 35860 35880',
  'Europe/Isle_of_Man': '441624',
  'Europe/Istanbul': '90',
  'Europe/Jersey': '441534',
  'Europe/Kyiv': '380',
  'Europe/Lisbon': '3512',
  'Europe/Ljubljana': '386',
  'Europe/London': '441 442',
  'Europe/Luxembourg': '352',
  'Europe/Madrid': '344 345 346 347 348 349',
  'Europe/Malta': '356',
  'Europe/Mariehamn': '35818',
  'Europe/Monaco': '377',
  'Europe/Moscow': '375 736 747 748 749 7803 7804 781 782 783 7841 7843 7844 7845 7847 7855 7856 7857 786 787 79',
  'Europe/Oslo': '470 472 473 474 475 476 477 478 479',
  'Europe/Paris': '213 33',
  'Europe/Podgorica': '382',
  'Europe/Prague': '420',
  'Europe/Rome': '390 394 397',
  'Europe/Rome Europe/Vatican': '39 390878',
  'Europe/Samara': '7341 7842 7846 7848 7851',
  'Europe/San_Marino': '378',
  'Europe/Sarajevo': '387',
  'Europe/Skopje': '389',
  'Europe/Sofia': '359',
  'Europe/Stockholm': '46',
  'Europe/Tirane': '355',
  'Europe/Vaduz': '423',
  'Europe/Vatican': '3906698',
  'Europe/Vienna': '43',
  'Europe/Warsaw': '48',
  'Europe/Zagreb': '385',
  'Europe/Zurich': '41',
  'Indian/Antananarivo': '261',
  'Indian/Chagos': '246',
  'Indian/Christmas': `
    61851001 61851030 61851059 61851088 61851117 61851146 61851175 61851204 61851222 61851235 6189164 61891958
  `,
  'Indian/Cocos': '61851002 61851031 61851060 61851089 61851118 61851176 61851223 6189162 61891703',
  'Indian/Comoro': '269',
  'Indian/Mahe': '248',
  'Indian/Maldives': '960',
  'Indian/Mauritius': '230',
  'Indian/Mayotte': '2622689 262269 26263 2627093 2629398 2629478 2629769',
  'Indian/Mayotte Indian/Reunion': '262',
  'Indian/Reunion': '262262 262263 2622688 26269 2627092 26281 26282 26288 26289 2629399 2629479 2629762 2629763',
  'Pacific/Apia': '685',
  'Pacific/Auckland': '641 642 643 644 645 646 647 648 649',
  'Pacific/Auckland Pacific/Chatham': '64',
  'Pacific/Chatham': '64330',
  'Pacific/Efate': '678',
  'Pacific/Enderbury Pacific/Kiritimati Pacific/Tarawa': '686',
  'Pacific/Fakaofo': '690',
  'Pacific/Fiji': '679',
  'Pacific/Funafuti': '688',
  'Pacific/Gambier Pacific/Marquesas Pacific/Tahiti': '689',
  'Pacific/Guadalcanal': '677',
  'Pacific/Guam': '1671',
  'Pacific/Honolulu': '1808',
  'Pacific/Kosrae': '69137',
  'Pacific/Kosrae Pacific/Ponape Pacific/Truk': '691',
  'Pacific/Majuro': '692',
  'Pacific/Nauru': '674',
  'Pacific/Niue': '683',
  'Pacific/Norfolk': '672',
  'Pacific/Noumea': '687',
  'Pacific/Pago_Pago': '1684',
  'Pacific/Palau': '680',
  'Pacific/Ponape': '69132 691920 691921 691924 691926',
  'Pacific/Port_Moresby': '675',
  'Pacific/Rarotonga': '682',
  'Pacific/Saipan': '1670',
  'Pacific/Tahiti': '6894 68988 68989',
  'Pacific/Tongatapu': '676',
  'Pacific/Truk': '6913 691933',
  'Pacific/Wallis': '681',
};
