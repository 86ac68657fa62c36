# How an instance of Request Tracker for one test is set up; where its database is and its port say the environment.
Set($DatabaseType, 'SQLite');
Set($DatabaseName, $ENV{MADOGUCHI_RT_DATABASE});
Set($DatabaseHost, '');
Set($DatabasePort, '');
Set($DatabaseUser, '');
Set($DatabasePassword, '');
Set($rtname, 'desk.example.invalid');
Set($Organization, 'desk.example.invalid');
Set($WebPath, '');
Set($WebDomain, '127.0.0.1');
Set($WebPort, $ENV{MADOGUCHI_RT_PORT});
Set($WebBaseURL, "http://127.0.0.1:$ENV{MADOGUCHI_RT_PORT}");
Set($Timezone, 'Asia/Tokyo');
Set($LogToSyslog, undef);
Set($LogToFile, undef);
Set($LogToSTDERR, 'warning');
# Mail goes nowhere.
Set($MailCommand, 'testfile');
1;
