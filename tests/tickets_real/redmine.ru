# Redmine as Debian packages it, answering as fast as it can on a database that is thrown away after the test.
require '/usr/share/redmine/config/environment'

# What a killed process has handed to the system is there all the same; only a power cut would lose it.
class ActiveRecord::ConnectionAdapters::SQLite3Adapter
  prepend(Module.new do
    def configure_connection
      super
      execute('PRAGMA journal_mode = WAL', 'madoguchi')
      execute('PRAGMA synchronous = OFF', 'madoguchi')
    end
  end)
end
ActiveRecord::Base.clear_all_connections!

run Rails.application
